/** How many bytes each of many callers keeps that wait for the only connection: a transaction with one write, and a read on its own. Needs `--expose-gc`. */
import { openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { users, withTables } from '../../helpers/schema.js'

const count = 3000

const ends: Array<() => unknown> = []
const { connectionString } = await createTestDatabase({ after: (fn: () => unknown) => { ends.push(fn) } }, withTables)
const database = await openDatabase({ connectionString, pool: { size: 1, maxOverflow: 0, timeoutSeconds: 600 } })

/** What is in use after a full collection. */
function heap (): number {
  for (let turn = 0; turn < 4; turn++) globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

/** The bytes that each call keeps as long as it waits. */
async function bytesOf (call: () => Promise<unknown>): Promise<number> {
  const holder = database.createSession()
  await holder.begin()
  const calls: Array<Promise<unknown>> = Array.from({ length: count })
  const before = heap()
  for (let number = 0; number < count; number++) calls[number] = call()
  const bytes = (heap() - before) / count
  await holder.close()
  await Promise.all(calls)
  return Math.round(bytes)
}

const read = (): Promise<unknown> => database.repo(users).get(1)
let created = 0
const transaction = (): Promise<unknown> => database.session((session) => session.repo(users).create({ email: `${created++}@example.com` }))

try {
  // The first round compiles the code, and fills caches.
  await bytesOf(read)
  await bytesOf(transaction)
  console.log(JSON.stringify({ read: await bytesOf(read), transaction: await bytesOf(transaction) }))
} finally {
  await database.close()
  for (const end of ends.reverse()) await end()
}
