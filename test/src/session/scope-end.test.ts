import t from 'tap'
import { sql } from 'drizzle-orm'
import { backendOf, killBackend, running } from '../../helpers/backend.js'
import { open } from '../../helpers/database.js'
import { deferred } from '../../helpers/deferred.js'
import { recordingLogger } from '../../helpers/logger.js'
import { posts, users } from '../../helpers/schema.js'
import {
  ConnectionError, TransactionAbortedError, TransactionClosedError, TransactionScopeError, TransactionTimeoutError
} from '../../../src/index.js'
import type { Database, Scope, Session } from '../../../src/index.js'

async function emails (database: Database): Promise<string[]> {
  return (await database.repo(users).getAll()).map(({ email }) => email)
}

t.test('a scope that left one of its own open is undone with it, early or late', async (t) => {
  const database = await open(t)
  for (const when of ['before', 'after']) {
    await database.session(async (session) => {
      const { promise, resolve } = deferred()
      let inner: Promise<unknown> = Promise.resolve()
      const rolledBack: string[] = []
      await t.rejects(session.transaction(async (scope) => {
        await scope.repo(users).create({ email: 'outer' })
        const started = deferred()
        inner = scope.transaction(async (inner) => {
          inner.afterRollback(() => { rolledBack.push('inner') })
          inner.afterCommit(() => { rolledBack.push('never') })
          inner.repo(users).create({ email: 'inner' })
          started.resolve()
          await promise
        })
        await started.promise
        if (when === 'before') resolve()
      }), TransactionScopeError)
      await session.repo(users).create({ email: when })
      resolve()
      await t.rejects(inner, TransactionClosedError, 'it does not claim success')
      t.same(rolledBack, ['inner'])
    })
  }
  t.same(await emails(database), ['before', 'after'])
})

t.test('a scope that throws while one of its own is open takes that along', async (t) => {
  const database = await open(t)
  await database.session(async (session) => {
    const { promise, resolve } = deferred()
    let inner: Promise<unknown> = Promise.resolve()
    await t.rejects(session.transaction(async (scope) => {
      const written = deferred()
      inner = scope.transaction(async (inner) => {
        await inner.repo(users).create({ email: 'inner' })
        written.resolve()
        await promise
        await inner.repo(users).create({ email: 'late' })
      })
      await written.promise
      throw new Error('no')
    }), { message: 'no' })
    resolve()
    await t.rejects(inner, TransactionClosedError)
    await session.repo(users).create({ email: 'after' })
  })
  t.same(await emails(database), ['after'])
})

t.test('rollbackOnly() on a scope undoes that alone, and its function\'s result is kept', async (t) => {
  const database = await open(t)
  let isUndone = false
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'kept' })
    t.equal(await session.transaction(async (scope) => {
      scope.rollbackOnly('a dry run')
      scope.rollbackOnly()
      scope.afterRollback(() => { isUndone = true })
      await scope.repo(users).create({ email: 'undone' })
      return 'result'
    }), 'result')
    t.ok(isUndone, 'before anything else is done')
  })
  t.same(await emails(database), ['kept'])
})

t.test('rollbackOnly() logs its reason', async (t) => {
  const logger = recordingLogger()
  const database = await open(t, { logger })
  await database.session((session) => { session.rollbackOnly('a dry run') })
  t.match(logger.lines.filter(({ context }) => 'reason' in context), [{ level: 'debug', context: { reason: 'a dry run' }, message: /^rollbackOnly\(\)/ }])
})

t.test('use after the end of a transaction is logged once', async (t) => {
  const logger = recordingLogger()
  const database = await open(t, { logger })
  const session = database.createSession()
  await session.repo(users).create({ email: 'ada' })
  await session.commit()
  for (const email of ['bob', 'eve']) await t.rejects(session.repo(users).create({ email }), TransactionClosedError)
  t.match(logger.lines.filter(({ level }) => level === 'warn'), [{ context: { err: TransactionClosedError }, message: /after the end of its transaction/ }])
  t.equal(logger.lines.filter(({ level }) => level === 'warn').length, 1)
})

t.test('a scope reports the first reason of its end', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const end = deferred()
  const nested = session.transaction(() => end.promise).catch((error: unknown) => error)
  const reason = new TransactionTimeoutError()
  session.abort(reason)
  end.resolve()
  t.equal(await nested, reason)
  await session.close()
})

t.test('callbacks of a scope pass to its parent if it is kept, else they are dropped', async (t) => {
  const database = await open(t)
  const ran: string[] = []
  const register = (scope: Scope | Session, name: string): void => {
    scope.beforeCommit(() => { ran.push(`beforeCommit ${name}`) })
    scope.afterCommit(() => { ran.push(`afterCommit ${name}`) })
    scope.afterRollback(() => { ran.push(`afterRollback ${name}`) })
  }
  await database.session(async (session) => {
    register(session, 'session')
    await session.transaction(() => register(session, 'kept, by the handle of the session'))
    await session.transaction((scope) => { register(scope, 'thrown'); throw new Error('no') }).catch(() => {})
    await session.transaction((scope) => { register(scope, 'dry'); scope.rollbackOnly() })
    t.same(ran, ['afterRollback thrown', 'afterRollback dry'])
    await session.transaction(async (outer) => {
      await outer.transaction((inner) => register(inner, 'inner'))
      throw new Error('no')
    }).catch(() => {})
    t.same(ran.splice(0), ['afterRollback thrown', 'afterRollback dry', 'afterRollback inner'])
  })
  t.same(ran, [
    'beforeCommit session', 'beforeCommit kept, by the handle of the session',
    'afterCommit session', 'afterCommit kept, by the handle of the session'
  ])
})

t.test('a scope opened after a swallowed failure cannot undo it', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.execute(sql`select 1 / ${0}::int`).catch(() => {})
  await t.rejects(session.transaction((scope) => scope.repo(users).create({ email: 'ada' })), TransactionAbortedError)
  await t.rejects(session.transaction((scope) => scope.execute(sql`select 1`)), TransactionAbortedError)
  await t.rejects(session.commit(), { name: 'TransactionAbortedError', cause: { context: { sqlState: '22012' } } })
})

t.test('a failure that a scope has undone is no cause of a later one', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.repo(users).create({ email: 'ada' })
  await session.transaction((scope) => scope.repo(users).create({ email: 'ada' })).catch(() => {})
  await session.execute(sql`select 1 / ${0}::int`).catch(() => {})
  await t.rejects(session.commit(), { name: 'TransactionAbortedError', cause: { context: { sqlState: '22012' } } })
})

t.test('an unsent write outlives a later scope that is undone, and not its own scope', async (t) => {
  const database = await open(t)
  const circular: { self?: unknown } = {}
  circular.self = circular
  const session = database.createSession()
  session.execute(sql`select ${circular}::jsonb`)
  await session.transaction((scope) => { scope.rollbackOnly() })
  await t.rejects(session.commit(), { name: 'TransactionAbortedError', cause: { name: 'ValidationError' } })

  const other = database.createSession()
  await other.transaction(async (scope) => {
    scope.execute(sql`select ${circular}::jsonb`)
    await scope.transaction((inner) => { inner.rollbackOnly() })
    scope.rollbackOnly()
  })
  await other.transaction(async (scope) => {
    scope.transaction((inner) => inner.execute(sql`select ${circular}::jsonb`).catch(() => new Promise(() => {})))
    throw new Error('no')
  }).catch(() => {})
  await other.transaction(async (scope) => {
    await t.rejects(scope.transaction(async (inner) => { inner.execute(sql`select ${circular}::jsonb`) }), TransactionAbortedError)
  })
  await other.repo(users).create({ email: 'ada' })
  await other.commit()
  t.same(await emails(database), ['ada'])
})

t.test('a savepoint that the user\'s own SQL has rolled back is missed and reported', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await t.rejects(session.transaction(async (outer) => {
    await outer.repo(users).create({ email: 'ada' })
    await outer.transaction(async (inner) => {
      await inner.repo(users).create({ email: 'bob' })
      await inner.execute(sql`ROLLBACK TO s1`)
    })
  }), { name: 'TransactionAbortedError', cause: { context: { sqlState: '3B001', operation: 'release savepoint' } } })
  await session.commit()
  t.equal(await database.repo(users).count(), 0)
})

t.test('a savepoint released by the user\'s own SQL is missed and reported', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await t.rejects(session.transaction(async (scope) => {
    await scope.repo(users).create({ email: 'ada' })
    await scope.execute(sql`release savepoint s1`)
  }), { name: 'TransactionAbortedError', cause: { context: { sqlState: '3B001', operation: 'release savepoint' } } })
  await t.rejects(session.commit(), { name: 'TransactionAbortedError', cause: { context: { sqlState: '3B001' } } })
})

t.test('a backend lost while a scope ends rejects as a lost connection', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  let pid = 0
  const scope = session.transaction(async (scope) => {
    pid = await backendOf(scope)
    await scope.repo(posts).create({ userId: 7, title: 'x' }).catch(() => {})
    throw new Error('first')
  })
  await t.rejects(scope, { message: 'first' })
  const sleeping = session.transaction((scope) => { scope.execute(sql`select pg_sleep(${60})`) })
  await running(database, 'pg_sleep')
  await killBackend(database, pid)
  await t.rejects(sleeping, ConnectionError)
  await t.rejects(session.commit(), ConnectionError)
})
