import { sql } from 'drizzle-orm'
import t from 'tap'
import { caller, openPool, run } from '../helpers/pool.js'
import { recordingLogger } from '../helpers/logger.js'
import { users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import { until } from '../helpers/until.js'
import type { ConnectionPool } from '../../src/pool/connection-pool.js'

const one = { size: 1, maxOverflow: 0 }
const two = { size: 2, maxOverflow: 0 }
const busy = { code: 'DB_POOL_TIMEOUT', statusCode: 503, retryable: true, headers: { 'retry-after': /^\d+$/ } }

/** What became of a request for a connection so far. */
interface Asked { fate: 'waiting' | 'served' | 'refused', error?: Error }

/** Requests a connection, and releases it after one statement. */
function ask (pool: ConnectionPool, text = 'select 1'): Asked {
  const asked: Asked = { fate: 'waiting' }
  pool.acquire({
    caller,
    lend: (connection) => run(connection, text).then(() => {
      asked.fate = 'served'
      connection.release()
    }),
    refuse: (error) => { Object.assign(asked, { fate: 'refused', error }) }
  })
  return asked
}

const times = (count: number, pool: ConnectionPool, text?: string): Asked[] => Array.from({ length: count }, () => ask(pool, text))
const how = (crowd: readonly Asked[], fate: Asked['fate']): Asked[] => crowd.filter((asked) => asked.fate === fate)
/** Resolves when nothing is refused in this turn of the event loop yet. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
const over = (crowd: readonly Asked[]): Promise<void> => until(() => how(crowd, 'waiting').length === 0)

t.test('39: 256 requests at once over a pool of two are all answered, again and again', async (t) => {
  const server = await build(t, { pool: two })
  server.get('/', (request) => request.repo(users).count())
  server.post('/:name', (request) => request.repo(users).create({ email: `${(request.params as { name: string }).name}@example.com` }))

  for (const round of [1, 2, 3]) {
    const replies = await Promise.all(Array.from({ length: 256 }, (_, position) =>
      server.inject(position % 2 === 0 ? '/' : { method: 'POST', url: `/${round}-${position}` })))
    t.same(replies.filter(({ statusCode }) => statusCode !== 200), [])
  }

  t.equal(await server.db.repo(users).count(), 3 * 128)
})

t.test('39: more requests than can be served in time are refused at once, the others served, and afterwards all', async (t) => {
  const logger = recordingLogger()
  const pool = await openPool(t, { pool: { ...two, timeoutSeconds: 3 }, logger })
  const slow = 'select pg_sleep(0.1)'
  const first = times(16, pool, slow)
  await over(first)
  t.equal(how(first, 'served').length, 16, 'nothing was known: nobody is refused')

  const crowd = times(400, pool, slow)
  t.equal(how(crowd, 'refused').length, 4, 'a few in the same moment, so that they do not delay the others')
  await until(() => how(crowd, 'refused').length >= 300)
  const refused = how(crowd, 'refused')
  for (const { error } of refused) t.match(error, busy)
  const lines = logger.lines.filter(({ message }) => message.includes('so further ones are refused at once'))
  t.match(lines, [{ level: 'warn', context: { waited: 'test', refused: 1, max: 2 } }], 'the log tells of it once')
  await over(crowd)

  t.ok(how(crowd, 'served').length >= 2, 'those that waited were served')
  const later = times(2, pool)
  await over(later)
  t.equal(how(later, 'served').length, 2)
  t.match(pool.info, { waiting: 0, inUse: 0 })
})

t.test('39: the refused requests of an overload are answered 503 with Retry-After', async (t) => {
  const server = await build(t, { pool: { ...one, timeoutSeconds: 0.5 } })
  server.get('/', async (request) => {
    await request.db.execute(sql`select pg_sleep(0.02)`)
    return {}
  })
  for (let count = 0; count < 10; count++) await Promise.all([server.inject('/'), server.inject('/')])

  const replies = await Promise.all(Array.from({ length: 200 }, () => server.inject('/')))

  const refused = replies.filter(({ statusCode }) => statusCode === 503)
  t.ok(refused.length >= 100 && refused.length < 200)
  for (const reply of refused) {
    t.match(reply, { headers: { 'retry-after': '1' } })
    t.match(reply.json(), { code: 'DB_POOL_TIMEOUT', message: 'The database is busy: try again' })
  }
  t.same(replies.filter(({ statusCode }) => statusCode !== 200 && statusCode !== 503), [])
  t.equal((await server.inject('/')).statusCode, 200)
})

t.test('39: while nothing is released, one request for each connection waits, and after the first release a crowd waits again', async (t) => {
  const pool = await openPool(t, { pool: { ...one, timeoutSeconds: 1 } })
  const held = await pool.connect(caller)
  const crowd = times(100, pool)
  t.equal(how(crowd, 'waiting').length, 100, 'nobody knows how long it will take')
  await over(crowd)
  t.equal(how(crowd, 'refused').length, 100, 'it took longer than they may wait')

  await nextTurn()
  const [waiting, second] = [ask(pool), ask(pool)]
  t.match(second, { fate: 'refused', error: busy }, 'at once')
  t.equal(waiting.fate, 'waiting')
  held.release()
  const again = times(20, pool)
  await over([waiting, ...again])

  t.equal(waiting.fate, 'served')
  t.equal(how(again, 'served').length, 20)
})

t.test('39: a slow statement in a pool of one refuses nobody who is served in time', async (t) => {
  const pool = await openPool(t, { pool: { ...one, timeoutSeconds: 10 } })
  const slow = ask(pool, 'select pg_sleep(0.5)')
  const others = times(200, pool)
  await over([slow, ...others])
  const after = times(200, pool)
  await over(after)

  t.equal(how([slow, ...others, ...after], 'served').length, 401)
})
