import t from 'tap'
import { backendOf } from '../helpers/backend.js'
import { open } from '../helpers/database.js'
import { posts, users } from '../helpers/schema.js'
import { TransactionAbortedError, TransactionClosedError, UniqueViolationError } from '../../src/index.js'
import type { Database } from '../../src/index.js'

async function emails (database: Database): Promise<string[]> {
  return (await database.repo(users).getAll()).map(({ email }) => email)
}

t.test('9: a nested transaction that fails and is caught is undone, and the outer one saved', async (t) => {
  const database = await open(t)
  const pid = await backendOf(database)
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'before' })
    await t.rejects(session.transaction(async (scope) => {
      await scope.repo(users).create({ email: 'inside' })
      await scope.repo(users).create({ email: 'before' })
    }), UniqueViolationError)
    await session.repo(users).create({ email: 'after' })
  })
  t.same(await emails(database), ['before', 'after'])
  t.equal(await backendOf(database), pid)
})

t.test('9: a nested transaction that swallows its failure is undone; the outer one is usable', async (t) => {
  const database = await open(t)
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'before' })
    await t.rejects(session.transaction(async (scope) => {
      await scope.repo(users).create({ email: 'inside' })
      await scope.repo(posts).create({ userId: 7, title: 'x' }).catch(() => {})
    }), { name: 'TransactionAbortedError', cause: { code: 'DB_FOREIGN_KEY_VIOLATION' } })
    await session.repo(users).create({ email: 'after' })
  })
  t.same(await emails(database), ['before', 'after'])
})

t.test('9: an un-awaited failure in a nested transaction prevents that one alone', async (t) => {
  const database = await open(t)
  await database.session(async (session) => {
    await t.rejects(session.transaction((scope) => { scope.repo(posts).create({ userId: 7, title: 'x' }) }), TransactionAbortedError)
    await session.repo(users).create({ email: 'after' })
  })
  t.same(await emails(database), ['after'])
})

t.test('10: of nested transactions in parallel exactly those that were fulfilled are kept', async (t) => {
  const database = await open(t)
  const results = await database.session((session) => Promise.allSettled(['a', 'b', 'a', 'c', 'b', 'd'].map((email) =>
    session.transaction(async (scope) => {
      await Promise.all([scope.repo(users).create({ email: `${email}1` }), scope.repo(users).create({ email: `${email}2` })])
    }))))
  t.same(results.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
  t.same(await emails(database), ['a1', 'a2', 'b1', 'b2', 'c1', 'c2', 'd1', 'd2'])
})

t.test('29: leftover statements of a nested transaction are refused', async (t) => {
  const database = await open(t)
  await database.session(async (session) => {
    let goOn = (): void => {}
    const goesOn = new Promise<void>((resolve) => { goOn = resolve })
    let zombie: Promise<unknown> = Promise.resolve()
    await t.rejects(session.transaction(async (scope) => {
      const repo = scope.repo(users)
      zombie = goesOn.then(() => repo.create({ email: 'zombie' }))
      await scope.repo(posts).create({ userId: 7, title: 'x' })
    }))
    goOn()
    await t.rejects(zombie, TransactionClosedError)
  })
  t.same(await emails(database), [])
})
