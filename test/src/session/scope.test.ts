import { AsyncLocalStorage } from 'node:async_hooks'
import t from 'tap'
import { sql } from 'drizzle-orm'
import { open } from '../../helpers/database.js'
import { deferred } from '../../helpers/deferred.js'
import { openEchoing, words } from '../../helpers/echo.js'
import { users } from '../../helpers/schema.js'
import { TransactionClosedError, UsageError } from '../../../src/index.js'
import { currentScope } from '../../../src/session/scope.js'
import type { Database, Scope } from '../../../src/index.js'

async function emails (database: Database): Promise<string[]> {
  return (await database.repo(users).getAll()).map(({ email }) => email)
}

t.test('a savepoint is sent with its scope\'s first statement, under its own name, and released with the next one', async (t) => {
  const { database, sent } = await openEchoing(t)
  await database.session(async (session) => {
    await session.transaction((scope) => scope.repo(users).create({ email: 'ada' }))
    await session.transaction(() => {})
    await t.rejects(session.transaction(async () => { throw new Error('nothing was sent') }), { message: 'nothing was sent' })
    await t.rejects(session.transaction(async (outer) => {
      await outer.transaction((inner) => inner.repo(users).create({ email: 'bob' }))
      throw new Error('no')
    }), { message: 'no' })
    await session.transaction((scope) => scope.execute(sql`select 1`))
  })
  t.match(sent(), [
    /^begin; savepoint s1; insert/, /^release savepoint s1; savepoint s4; savepoint s5; insert/, 'rollback to savepoint s4; release savepoint s4',
    'savepoint s6; ', 'select 1', 'commit'
  ])
  t.same(await emails(database), ['ada'])
})

t.test('a savepoint that the user\'s own SQL may have released is released when its scope ends, and once', async (t) => {
  const { database, sent } = await openEchoing(t)
  await database.session(async (session) => {
    await session.transaction((scope) => scope.execute(sql`select ${1}::int as release`))
    await session.repo(users).create({ email: 'ada' })
  })
  t.match(sent(), [/^begin; savepoint s1; select/, 'release savepoint s1', /^insert/, 'commit'])
})

t.test('every handle means the innermost open scope; handles of other sessions keep theirs', async (t) => {
  const { database, sent } = await openEchoing(t)
  const other = database.createSession()
  await database.session(async (session) => {
    const repo = session.repo(users)
    const { drizzle } = session
    await session.transaction(async (outer) => {
      await repo.create({ email: 'in s1' })
      await outer.transaction(async (inner) => {
        await repo.create({ email: 'in s2' })
        await outer.repo(users).create({ email: 'in s2, too' })
        await inner.execute(sql`select ${1}`)
        await session.execute(drizzle.insert(users).values({ email: 'in s2 by drizzle' }))
        await session.transaction((innermost) => repo.create({ email: 'in s3' }).then(() => innermost))
        await other.repo(users).create({ email: 'in the other' })
        session.rollbackOnly('s2 alone')
      })
      await database.repo(users).create({ email: 'alone' })
      await repo.create({ email: 'in s1 again' })
    })
    await repo.create({ email: 'outside' })
  })
  await other.rollback()
  t.same(await emails(database), ['in s1', 'alone', 'in s1 again', 'outside'])
  t.same(words(sent()).slice(0, 2), ['begin; savepoint; insert', 'savepoint; insert'])
})

t.test('a session made inside another one\'s scope keeps both apart', async (t) => {
  const database = await open(t)
  await database.session(async (session) => {
    await session.transaction(async (scope) => {
      await database.session(async (inner) => {
        await inner.transaction(async (innerScope) => {
          await innerScope.repo(users).create({ email: 'inner' })
          await session.repo(users).create({ email: 'in the outer one\'s scope' })
          await inner.repo(users).create({ email: 'inner, too' })
        })
      })
      scope.rollbackOnly()
    })
  })
  t.same(await emails(database), ['inner', 'inner, too'])
})

t.test('statements and scopes are refused once the scope has ended, whatever handle they take', async (t) => {
  const database = await open(t)
  await database.session(async (session) => {
    const { promise, resolve } = deferred()
    let zombie: Promise<unknown> = Promise.resolve()
    const handle = await session.transaction((scope) => {
      zombie = promise.then(() => session.repo(users).create({ email: 'zombie' }))
      return scope
    })
    await t.rejects(handle.repo(users).count(), TransactionClosedError)
    await t.rejects(handle.drizzle.select().from(users).execute(), TransactionClosedError)
    await t.rejects(handle.transaction(() => {}), TransactionClosedError)
    t.throws(() => handle.afterCommit(() => {}), TransactionClosedError)
    // While scopes are open, the async context of an ended scope is still tracked.
    await session.transaction(async (scope) => {
      resolve()
      await t.rejects(zombie, TransactionClosedError)
      await scope.repo(users).create({ email: 'alive' })
    })
  })
  t.same(await emails(database), ['alive'])
})

t.test('statements in flight when the function settles belong to the scope', async (t) => {
  const database = await open(t)
  await database.session(async (session) => {
    await session.transaction((scope) => { scope.repo(users).create({ email: 'kept' }) })
    await t.rejects(session.transaction((scope) => {
      scope.repo(users).create({ email: 'undone' })
      throw new Error('synchronously')
    }), { message: 'synchronously' })
  })
  t.same(await emails(database), ['kept'])
})

t.test('scopes nest deeply', async (t) => {
  const database = await open(t)
  const nest = async (scope: Scope, depth: number): Promise<void> => {
    if (depth === 100) await scope.repo(users).create({ email: 'deep' })
    else await scope.transaction((inner) => nest(inner, depth + 1))
  }
  await database.session((session) => nest(session, 0))
  t.same(await emails(database), ['deep'])
})

t.test('takes no options: the isolation level is that of the transaction', async (t) => {
  const { database, sent } = await openEchoing(t)
  await database.session(async (session) => {
    await t.rejects(session.transaction(() => t.fail('it must not run'), { isolationLevel: 'serializable' } as never), UsageError)
    await t.rejects(session.drizzle.transaction(async () => t.fail('it must not run'), { accessMode: 'read only' }), /takes no options/)
    // An unhandled rejection would end the process.
    session.transaction(() => {}, {} as never)
  })
  t.same(sent(), [])
})

t.test('leaves the async context when the last session that nested is settled', async (t) => {
  const database = await open(t)
  const left = t.capture(AsyncLocalStorage.prototype, 'disable', AsyncLocalStorage.prototype.disable)
  const first = database.createSession()
  const second = database.createSession()
  await first.transaction((scope) => { t.equal(currentScope(), scope) })
  await second.transaction((scope) => { t.equal(currentScope(), scope) })
  await second.transaction((scope) => { t.equal(currentScope(), scope, 'entered once a session, left once') })
  t.equal(currentScope(), undefined)
  await first.rollback()
  t.equal(left().length, 0)
  await second.commit()
  t.equal(left().length, 1)
  const empty = database.createSession()
  await empty.transaction((scope) => { t.equal(currentScope(), scope) })
  t.equal(empty.commitNow(), true)
  t.equal(left().length, 1, 'a commit of nothing leaves as well')
  await database.session(async (session) => { await session.transaction(() => { t.ok(currentScope()) }) })
  t.equal(left().length, 1)
})

t.test('a scope that ends its session at its first turn reports its own failure', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const mine = new Error('mine')
  const first = session.transaction(() => session.repo(users).count())
  const second = session.transaction(() => {
    session.abort(new TransactionClosedError('the client left'))
    throw mine
  })
  await first
  t.equal(await second.catch((error: unknown) => error), mine)
  await session.close()
})
