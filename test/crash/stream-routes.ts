/** Routes that answer with a stream of several pieces. */
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { lefts, rights } from './tables.js'
import { insertPair } from './work.js'
import type { OwnRoute } from './work.js'

/** Between two pieces, in milliseconds: a client may leave there, and anything may fail. */
const pauseMillis = 3

const atEnd = { commit: 'atEnd' } as const

/** Pieces, and what is done between the first and the last of them. */
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
  // A handler that goes on behind its stream gets neither of its rows.
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
  // COMMIT fails, when all but the last piece has been sent.
  streamedOrphan: {
    transaction: atEnd,
    async work (session, id) {
      await session.repo(lefts).create({ id })
      return pieces(() => session.repo(rights).create({ id, parent: -id }))
    }
  }
}
