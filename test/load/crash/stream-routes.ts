/** Routes that reply with a stream of several pieces. */
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { lefts, rights } from './tables.js'
import { insertPair } from './work.js'
import type { OwnRoute } from './work.js'

/** The pause between two pieces, in milliseconds: a client may leave then, and anything may fail. */
const pauseMillis = 3

const atEnd = { commit: 'atEnd' } as const

/** Pieces, with work between the first and the last of them. */
function pieces (work: () => Promise<unknown> = async () => {}): Readable {
  return Readable.from((async function * () {
    yield 'begun, '
    await wait(pauseMillis)
    await work()
    yield 'going on, '
    await wait(pauseMillis)
    yield 'ended'
  })())
}

const streamLength = 'begun, going on, ended'.length

export const streamRoutes: Readonly<Record<string, OwnRoute>> = {
  streamed: {
    async work (session, id) {
      await insertPair(session, id)
      return pieces()
    }
  },
  // If a handler goes on after sending its stream, neither of its rows is kept.
  streamedTooSoon: {
    async work (session, id, reply) {
      reply.type('text/plain').send(pieces())
      await insertPair(session, id).catch(() => {})
      return reply
    }
  },
  streamedAtEnd: {
    transaction: atEnd,
    async work (session, id) {
      await session.repo(lefts).create({ id })
      return pieces(() => session.repo(rights).create({ id, parent: id }))
    }
  },
  streamedSized: {
    transaction: atEnd,
    async work (session, id, reply) {
      reply.header('content-length', streamLength)
      return pieces(() => insertPair(session, id))
    }
  },
  // COMMIT fails after all pieces but the last have been sent.
  streamedOrphan: {
    transaction: atEnd,
    async work (session, id) {
      await session.repo(lefts).create({ id })
      return pieces(() => session.repo(rights).create({ id, parent: -id }))
    }
  }
}
