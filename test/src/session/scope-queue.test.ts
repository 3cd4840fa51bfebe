import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { sql } from 'drizzle-orm'
import { open } from '../../helpers/database.js'
import { deferred } from '../../helpers/deferred.js'
import { openEchoing, words } from '../../helpers/echo.js'
import { users } from '../../helpers/schema.js'
import { TransactionClosedError, TransactionScopeError, UniqueViolationError } from '../../../src/index.js'
import type { Database } from '../../../src/index.js'

async function emails (database: Database): Promise<string[]> {
  return (await database.repo(users).getAll()).map(({ email }) => email)
}

t.test('a plain read in a scope of a session that has not begun stays outside', async (t) => {
  const { database, sent } = await openEchoing(t)
  await database.session((session) => session.transaction((scope) => scope.repo(users).count()))
  t.same(words(sent()), ['select'])
})

t.test('siblings run one after the other, and the parent\'s statements wait outside, in call order', async (t) => {
  const database = await open(t)
  const order: string[] = []
  await database.session(async (session) => {
    const note = (name: string) => (): void => { order.push(name) }
    const scope = (name: string): Promise<unknown> => session.transaction(async (scope) => {
      order.push(`${name} starts`)
      await scope.repo(users).create({ email: name })
      order.push(`${name} ends`)
      if (name === 'b') throw new Error('no')
    }).catch(() => {})
    await Promise.all([
      session.repo(users).create({ email: '1' }).then(note('1')),
      scope('a'),
      session.repo(users).create({ email: '2' }).then(note('2')),
      scope('b'),
      session.repo(users).create({ email: '3' }).then(note('3')),
      scope('c')
    ])
  })
  t.same(order.filter((entry) => /start|end/.test(entry)), ['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends'])
  t.same(order.filter((entry) => !/start|end/.test(entry)), ['1', '2', '3'])
  t.same(await emails(database), ['1', 'a', '2', '3', 'c'])
})

t.test('the function of a scope that had to wait runs in the async context of its own caller', async (t) => {
  const database = await open(t)
  const storage = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  await database.session(async (session) => {
    const start = (name: string): Promise<void> => storage.run(name, () => session.transaction(() => { seen.push(storage.getStore()) }))
    await Promise.all([start('a'), start('b'), start('c')])
  })
  t.same(seen, ['a', 'b', 'c'])
})

t.test('a statement that waits for a scope beyond the limit is refused; the scope goes on', async (t) => {
  const database = await open(t, { pool: { timeoutSeconds: 1 } })
  const session = database.createSession()
  const { promise, resolve } = deferred()
  const scope = session.transaction(async (scope) => {
    await scope.repo(users).create({ email: 'ada' })
    await promise
  })
  const statement = session.repo(users).count()
  const sibling = session.transaction(() => t.fail('it has no turn'))
  await t.rejects(statement, TransactionScopeError)
  await t.rejects(statement, { message: /use the scope that was passed/ })
  await t.rejects(sibling, TransactionScopeError)
  resolve()
  await scope
  await session.commit()
  t.same(await emails(database), ['ada'])
})

t.test('a handle that lost its async context waits outside instead of landing inside', async (t) => {
  const database = await open(t, { pool: { timeoutSeconds: 1 } })
  await t.rejects(database.session(async (session) => {
    const lost = deferred()
    const outside = lost.promise.then(() => session.repo(users).create({ email: 'outside' })) // made outside the scope, so it belongs to the session
    await t.rejects(session.transaction(async (scope) => {
      await scope.repo(users).create({ email: 'inside' })
      lost.resolve()
      await outside
    }), TransactionScopeError)
  }), { code: 'DB_TRANSACTION_ABORTED' }, 'and the write that never left is not forgotten')
  t.same(await emails(database), [])
})

t.test('statements that wait for a scope are refused at the end of the session', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const end = deferred()
  const nested = t.rejects(session.transaction(() => end.promise), TransactionClosedError)
  const waiting = t.rejects(session.repo(users).create({ email: 'ada' }), TransactionClosedError)
  await session.rollback()
  await waiting
  end.resolve()
  await nested
})

t.test('29: leftovers of an undone scope are refused by every handle, also with no scope open', async (t) => {
  const database = await open(t)
  await database.session(async (session) => {
    const [late, repo] = [deferred(), session.repo(users)]
    let straggler: Promise<unknown> = Promise.resolve()
    await session.transaction(() => {
      straggler = late.promise.then(() => repo.create({ email: 'late@example.com' }))
      throw new Error('undone')
    }).catch(() => {})
    late.resolve()
    await t.rejects(straggler, TransactionClosedError)
    await repo.create({ email: 'outer@example.com' })
  })
  t.match(await database.repo(users).getAll(), [{ email: 'outer@example.com' }])
})

t.test('a scope that waited when its session ended is never opened', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const end = deferred()
  const first = session.transaction(() => end.promise)
  const second = session.transaction(() => t.fail('it is over'))
  const rolledBack = session.rollback()
  await t.rejects(second, TransactionClosedError)
  end.resolve()
  await t.rejects(first, TransactionClosedError)
  await rolledBack
})

t.test('a write that waited for a scope in vain makes the commit fail', async (t) => {
  const database = await open(t, { pool: { timeoutSeconds: 1 } })
  const session = database.createSession()
  const end = deferred()
  const nested = session.transaction(() => end.promise)
  const [first] = await Promise.all(['late@example.com', 'later@example.com'].map((email) =>
    session.repo(users).create({ email }).catch((error: unknown) => error)))
  t.match(first, { code: 'DB_TRANSACTION_SCOPE' })
  end.resolve()
  await nested
  const error = await session.commit().catch((error: unknown) => error)
  t.match(error, { code: 'DB_TRANSACTION_ABORTED' })
  t.equal((error as Error).cause, first, 'the first of them is the cause')
})

t.test('a write that waited for a scope and failed is dropped with the undone savepoint', async (t) => {
  const database = await open(t)
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'ada' })
    await session.execute(sql`savepoint mine`)
    const end = deferred()
    const nested = session.transaction(() => end.promise)
    const failed = t.rejects(session.repo(users).create({ email: 'ada' }), UniqueViolationError)
    end.resolve()
    await Promise.all([nested, failed])
    await session.execute(sql`rollback to savepoint mine`)
  })
  t.same(await emails(database), ['ada'])
})

t.test('29: leftovers of an undone scope are refused also while the scope is being undone', async (t) => {
  const database = await open(t)
  await database.session(async (session) => {
    let straggler: Promise<unknown> = Promise.resolve()
    await session.transaction(async (scope) => {
      await scope.repo(users).create({ email: 'undone' })
      straggler = t.rejects(turn().then(() => scope.repo(users).create({ email: 'ghost' })), TransactionClosedError)
      throw new Error('no')
    }).catch(() => {})
    await straggler
  })
  t.same(await emails(database), [])
})
