import { JsonText } from '../src/repository/json/json-text.js'
import type { preSerializationHookHandler } from 'fastify'

/** Whether the reply has the serializer of this file. */
export const sendsWritten = Symbol('data-access.sends-written')

declare module 'fastify' {
  interface FastifyReply {
    [sendsWritten]: boolean
  }
}

/**
 * Sends JSON that is written already as it is: the serializer of the route, which takes values, is passed by. An error that takes the
 * place of such a reply has the serializer of the route again.
 */
export const sendWritten: preSerializationHookHandler = (_request, reply, payload, done) => {
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
