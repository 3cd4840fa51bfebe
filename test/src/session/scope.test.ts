import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { sql } from 'drizzle-orm'
import { backendOf, killBackend, running } from '../../helpers/backend.js'
import { open } from '../../helpers/database.js'
import { deferred } from '../../helpers/deferred.js'
import { openEchoing, words } from '../../helpers/echo.js'
import { recordingLogger } from '../../helpers/logger.js'
import { posts, users } from '../../helpers/schema.js'
import {
  ConnectionError, TransactionAbortedError, TransactionClosedError, TransactionScopeError, TransactionTimeoutError, UniqueViolationError, UsageError
} from '../../../src/index.js'
import { currentScope } from '../../../src/session/scope.js'
import type { Database, Scope, Session } from '../../../src/index.js'

async function emails (database: Database): Promise<string[]> {
  return (await database.repo(users).getAll()).map(({ email }) => email)
}

t.test('a savepoint leaves with the first statement of its scope, with a name of its own, and is released at the end', async (t) => {
  const { database, sent } = await openEchoing(t)
  await database.session(async (session) => {
    await session.transaction((scope) => scope.repo(users).create({ email: 'ada' }))
    await session.transaction(() => {})
    await t.rejects(session.transaction(async (outer) => {
      await outer.transaction((inner) => inner.repo(users).create({ email: 'bob' }))
      throw new Error('no')
    }), { message: 'no' })
    await session.transaction((scope) => scope.execute(sql`select 1`))
  })
  t.match(sent(), [
    /^begin; savepoint s1; insert/, 'release savepoint s1',
    /^savepoint s3; savepoint s4; insert/, 'release savepoint s4', 'rollback to savepoint s3; release savepoint s3',
    'savepoint s5; ', 'select 1', 'release savepoint s5', 'commit'
  ])
  t.same(await emails(database), ['ada'])
})

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

t.test('every handle used in the function means the innermost open scope, and those of other sessions what they are', async (t) => {
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

t.test('a statement outside that waits longer than the limit is refused, with the way out; the scope is not touched', async (t) => {
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
    const outside = lost.promise.then(() => session.repo(users).create({ email: 'outside' })) // made out here, and so it belongs out here
    await t.rejects(session.transaction(async (scope) => {
      await scope.repo(users).create({ email: 'inside' })
      lost.resolve()
      await outside
    }), TransactionScopeError)
  }), { code: 'DB_TRANSACTION_ABORTED' }, 'and the write that never left is not forgotten')
  t.same(await emails(database), [])
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
    // While scopes are open, the async context of one that has ended is still known.
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

t.test('scopes nest deeply', async (t) => {
  const database = await open(t)
  const nest = async (scope: Scope, depth: number): Promise<void> => {
    if (depth === 100) await scope.repo(users).create({ email: 'deep' })
    else await scope.transaction((inner) => nest(inner, depth + 1))
  }
  await database.session((session) => nest(session, 0))
  t.same(await emails(database), ['deep'])
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

t.test('rollbackOnly() tells the log why', async (t) => {
  const logger = recordingLogger()
  const database = await open(t, { logger })
  await database.session((session) => { session.rollbackOnly('a dry run') })
  t.match(logger.lines.filter(({ context }) => 'reason' in context), [{ level: 'debug', context: { reason: 'a dry run' }, message: /^rollbackOnly\(\)/ }])
})

t.test('the log is told once of what comes after the end of a transaction', async (t) => {
  const logger = recordingLogger()
  const database = await open(t, { logger })
  const session = database.createSession()
  await session.repo(users).create({ email: 'ada' })
  await session.commit()
  for (const email of ['bob', 'eve']) await t.rejects(session.repo(users).create({ email }), TransactionClosedError)
  t.match(logger.lines.filter(({ level }) => level === 'warn'), [{ context: { err: TransactionClosedError }, message: /after the end of its transaction/ }])
  t.equal(logger.lines.filter(({ level }) => level === 'warn').length, 1)
})

t.test('the first reason of its end is the one that a scope tells', async (t) => {
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

t.test('what waits for a scope is refused with the end of its session, whether the scope ends or not', async (t) => {
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

t.test('callbacks of a scope pass to the one around when it is kept, and are dropped when it is undone', async (t) => {
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

t.test('takes no options: the isolation level is that of the transaction', async (t) => {
  const { database, sent } = await openEchoing(t)
  await database.session(async (session) => {
    await t.rejects(session.transaction(() => t.fail('it must not run'), { isolationLevel: 'serializable' } as never), UsageError)
    await t.rejects(session.drizzle.transaction(async () => t.fail('it must not run'), { accessMode: 'read only' }), /takes no options/)
    // A rejection that nobody has looked at would end the process.
    session.transaction(() => {}, {} as never)
  })
  t.same(sent(), [])
})

t.test('a scope opened after a swallowed failure cannot mend it', async (t) => {
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

t.test('a write that could not be sent is not forgotten with a scope that was opened behind it; one inside the scope is', async (t) => {
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

t.test('a savepoint that the user\'s own SQL released is missed, and told of', async (t) => {
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

t.test('29: what an undone scope left behind is refused by every handle, also when no other scope is open', async (t) => {
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

t.test('a scope that ends its session as soon as its turn has come tells how it failed itself', async (t) => {
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

t.test('a write that waited for a scope in vain is not forgotten: the commit is refused', async (t) => {
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

t.test('a write that waited for a scope and then failed is forgotten with the savepoint that was gone back to', async (t) => {
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

t.test('29: what an undone scope left behind is refused also while the scope is being undone', async (t) => {
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
