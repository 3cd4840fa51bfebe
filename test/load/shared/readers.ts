import assert from 'node:assert/strict'
import type { Database } from '../../../src/index.js'
import { posts, users } from '../../helpers/schema.js'

/** Lookups of one kind: their table, how many of all they are, and what they must find. */
export interface Share {
  readonly table: typeof users | typeof posts
  readonly of: number
  readonly id: () => number
  readonly text: (id: number) => string
}

interface Row {
  readonly id: number
  readonly email?: string
  readonly title?: string
}

/** What readers have seen. */
export interface Seen {
  /** How long each lookup of the last share took, in milliseconds. */
  readonly times: number[]
  readonly failures: number
}

/** Starts clients that read one row after the other, in sessions of their own, each in a turn of the event loop as requests are. */
export function startReaders (database: Database, clients: number, shares: readonly Share[]): { end: () => Promise<Seen> } {
  const over = new AbortController()
  const times: number[] = []
  let failures = 0
  const choose = (): Share => {
    let left = Math.random()
    return shares.find((share) => (left -= share.of) < 0) ?? shares[shares.length - 1] as Share
  }
  const read = async (): Promise<void> => {
    const share = choose()
    const id = share.id()
    const started = performance.now()
    const row = await database.session((session): Promise<Row | undefined> => share.table === users ? session.repo(users).get(id) : session.repo(posts).get(id))
    if (share === shares.at(-1)) times.push(performance.now() - started)
    assert.deepEqual([row?.id, row?.email ?? row?.title], [id, share.text(id)], 'each lookup finds its own row')
  }
  const client = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await new Promise((resolve) => setImmediate(resolve))
      try {
        await read()
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
        failures++
      }
    }
  }
  const running = Array.from({ length: clients }, client)
  return {
    end: async () => {
      over.abort()
      await Promise.all(running)
      return { times, failures }
    }
  }
}
