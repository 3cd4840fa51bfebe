import t from 'tap'
import { sql } from 'drizzle-orm'
import { LockTimeoutError } from '../../../src/errors/errors.js'
import { open } from '../../helpers/database.js'
import { users } from '../../helpers/schema.js'
import type { Lock } from '../../../src/index.js'

t.test('a lock is held until the transaction ends: nowait fails at once with 409, skipLocked leaves the row out', async (t) => {
  const database = await open(t)
  await database.execute(sql`insert into users (email) select 'u' || n from generate_series(1, 3) n`)
  const holder = database.createSession()
  await holder.repo(users).get(2, { lock: 'update' })
  await database.session(async (session) => {
    const rows = await session.repo(users).getAll({ lock: { strength: 'update', skipLocked: true }, columns: ['id'] })
    t.same(rows.map(({ id }) => id), [1, 3])
    t.equal((await session.repo(users).get(2))?.email, 'u2', 'a plain read waits for nobody')
    const error = await session.transaction((scope) => scope.repo(users).first({ id: 2 }, {
      lock: { strength: 'share', nowait: true }
    })).catch((error: unknown) => error)
    t.ok(error instanceof LockTimeoutError)
    t.match(error, { statusCode: 409 })
  })
  await t.rejects(
    database.repo(users).first({ id: 2 }, { lock: { strength: 'share', nowait: true } }),
    { code: 'DB_LOCK_TIMEOUT', statusCode: 409 },
    'also without a session'
  )
  await holder.rollback()
  await database.session(async (session) => {
    t.equal((await session.repo(users).getBy({ id: 2 }, { lock: { strength: 'update', nowait: true } }))?.id, 2)
  })
})

t.test('each strength shuts out those that PostgreSQL says, and no others', async (t) => {
  const database = await open(t)
  await database.execute(sql`insert into users (email) values ('u1')`)
  const strengths = ['update', 'noKeyUpdate', 'share', 'keyShare'] as const
  // https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS
  const pass = new Set(['noKeyUpdate keyShare', 'keyShare noKeyUpdate', 'share share', 'share keyShare', 'keyShare share', 'keyShare keyShare'])
  const isFree = (lock: Lock): Promise<boolean> => database.session(async (session) => (await session.repo(users).getAll({ lock })).length === 1)
  for (const held of strengths) {
    const holder = database.createSession()
    await holder.repo(users).get(1, { lock: held })
    for (const wanted of strengths) t.equal(await isFree({ strength: wanted, skipLocked: true }), pass.has(`${held} ${wanted}`), `${wanted} beside ${held}`)
    await holder.rollback()
  }
})
