import { eq, sql } from 'drizzle-orm'
import t from 'tap'
import { CommitUnknownError, SerializationFailureError, UsageError } from '../../../src/index.js'
import { isConflict } from '../../../src/session/retry.js'
import { conflicts } from '../../helpers/conflicts.js'
import { open } from '../../helpers/database.js'
import { deferred } from '../../helpers/deferred.js'
import { recordingLogger } from '../../helpers/logger.js'
import { users } from '../../helpers/schema.js'
import type { Database, Session, TransactionOptions } from '../../../src/index.js'

const ada = { email: 'ada@example.com' }

t.test('7: a transaction that conflicts runs again as a whole, without its failed attempts\' rows', async (t) => {
  const logger = recordingLogger()
  const database = await open(t, { logger })
  const { collide } = await conflicts(database)
  for (const run of [database.session.bind(database), database.transaction.bind(database)]) {
    await collide(2)
    const happened: string[] = []
    let attempts = 0
    const user = await run(async (session) => {
      const attempt = ++attempts
      session.afterCommit(() => happened.push(`committed ${attempt}`))
      session.afterRollback(() => happened.push(`rolled back ${attempt}`))
      return await session.repo(users).create({ email: `${attempts}@example.com` })
    }, { retries: 2 })

    t.equal(attempts, 3)
    t.same(happened, ['rolled back 1', 'rolled back 2', 'committed 3'])
    t.same(await database.repo(users).getAll(), [user])
    await database.repo(users).delete(user.id)
  }
  t.match(logger.lines.filter(({ level }) => level === 'warn'), [1, 2, 1, 2].map((attempt) => ({ context: { attempt, err: { code: 'DB_CONFLICT' } } })))
})

t.test('7: a conflict at COMMIT, or one that the function swallowed, is retried as well', async (t) => {
  const database = await open(t)
  const atCommit = await conflicts(database, 'commit')
  await atCommit.collide(1)
  await database.session((session) => session.repo(users).create(ada), { retries: 1 })

  let attempts = 0
  await database.session(async (session) => {
    if (++attempts === 1) await session.execute(sql`do $$ begin raise exception using errcode = '40P01'; end $$`).catch(() => {})
    else await session.repo(users).create({ email: 'second@example.com' })
  }, { retries: 1 })

  t.equal(attempts, 2)
  t.equal(await database.repo(users).count(), 2)
})

t.test('7: after the last attempt the conflict is thrown, with its retry-after', async (t) => {
  const database = await open(t)
  const { collide } = await conflicts(database)
  await collide(10)
  let attempts = 0
  const work = (session: Session) => { attempts++; return session.repo(users).create(ada) }

  await t.rejects(database.session(work, { retries: 2 }), { code: 'DB_CONFLICT', statusCode: 409, headers: { 'retry-after': '1' } })
  t.equal(attempts, 3)

  attempts = 0
  await t.rejects(database.session(work), SerializationFailureError)
  t.equal(attempts, 1, 'and none is repeated unless asked for')
  t.equal(await database.repo(users).count(), 0)
})

t.test('only a conflict is retried, never a commit with an unknown outcome', async (t) => {
  const database = await open(t)
  let attempts = 0
  await t.rejects(database.session(async (session) => {
    attempts++
    await session.repo(users).createMany([ada, ada])
  }, { retries: 5 }), { code: 'DB_UNIQUE_VIOLATION' })
  await t.rejects(database.session(() => { attempts++; throw new Error('a slip') }, { retries: 5 }), { message: 'a slip' })
  await t.rejects(database.session(async (session) => {
    attempts++
    await session.execute(sql`select 1 / 0`).catch(() => {})
  }, { retries: 5 }), { name: 'TransactionAbortedError' }, 'a swallowed failure that is no conflict')
  t.equal(attempts, 3)
  t.notOk(isConflict(new CommitUnknownError(undefined, { cause: new SerializationFailureError() })))
})

t.test('an invalid number of retries is refused by name', async (t) => {
  const database = await open(t)
  for (const retries of [-1, 1.5, NaN, 101, '2'] as number[]) {
    t.throws(() => database.createSession({ retries }), { constructor: UsageError, message: /transaction\.retries must be a whole number from 0 to 100/ })
  }
})

/** Reads a balance, waits, and writes the sum, which is safe only in a serializable transaction. */
async function deposit (database: Database, id: number, options: TransactionOptions & { meanwhile: () => Promise<void> }): Promise<void> {
  const { meanwhile, ...transaction } = options
  await database.transaction(async (session) => {
    const { balance } = await session.repo(users).getOrThrow(id)
    await meanwhile()
    await session.repo(users).update(id, { balance: balance + 1 })
  }, transaction)
}

t.test('concurrent deposits all count under serializable with retries, not under read committed', async (t) => {
  const database = await open(t)
  const { id } = await database.repo(users).create(ada)
  for (const [isolationLevel, sum] of [['serializable', 4], ['read committed', 1]] as const) {
    await database.drizzle.update(users).set({ balance: 0 }).where(eq(users.id, id))
    // In the first attempt, all deposits read before any writes.
    const [all, readers] = [deferred(), { n: 0 }]
    const meanwhile = async () => { if (++readers.n >= 4) all.resolve(); await all.promise }
    await Promise.all(Array.from({ length: 4 }, () => deposit(database, id, { isolationLevel, retries: 50, meanwhile })))
    t.equal((await database.repo(users).getOrThrow(id)).balance, sum, isolationLevel)
  }
})

t.test('7: of two transactions in a deadlock one is retried, and both succeed', async (t) => {
  const database = await open(t)
  const [one, two] = await database.repo(users).createMany([{ email: 'one' }, { email: 'two' }])
  const both = deferred()
  let locked = 0
  const touch = async (first: number, second: number) => await database.transaction(async (session) => {
    await session.repo(users).update(first, { balance: 1 })
    if (++locked >= 2) both.resolve()
    await both.promise
    await session.repo(users).update(second, { balance: 2 })
  }, { retries: 5 })

  await Promise.all([touch(Number(one?.id), Number(two?.id)), touch(Number(two?.id), Number(one?.id))])
  t.ok(locked > 2, 'one of them once more, or oftener: it may come back before the other one has woken up')
})
