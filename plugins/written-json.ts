import { JsonText } from '../src/repository/json/json-text.js'
import type { FastifyReply, preSerializationHookHandler } from 'fastify'

/** Whether the reply has the serializer of this file. */
export const sendsWritten = Symbol('data-access.sends-written')

/** A reply with the mark. A declaration in Fastify's module would take `FastifyReply` out of the imports of our other declarations. */
type MarkedReply = FastifyReply & { [sendsWritten]: boolean }

/**
 * Sends JSON that is written already as it is: the serializer of the route, which takes values, is passed by. An error that takes the
 * place of such a reply has the serializer of the route again.
 */
export const sendWritten: preSerializationHookHandler = (_request, given, payload, done) => {
  const reply = given as MarkedReply // the plugin has decorated it
  if (payload instanceof JsonText) {
    reply.serializer(textOf)
    reply[sendsWritten] = true
  } else if (reply[sendsWritten]) {
    reply.serializer(null as never) // as it is in a new reply
    reply[sendsWritten] = false
  }
  done()
}

/** A later hook may have put the JSON into another payload. */
function textOf (payload: unknown): string {
  return payload instanceof JsonText ? payload.text : JSON.stringify(payload)
}
