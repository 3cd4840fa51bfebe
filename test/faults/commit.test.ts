import t from 'tap'
import { CommitUnknownError } from '../../src/index.js'
import { openByProxy } from '../helpers/database.js'
import { openEchoing, words } from '../helpers/echo.js'
import { holdCommits } from '../helpers/held-commit.js'
import { recordingLogger } from '../helpers/logger.js'
import { users } from '../helpers/schema.js'
import { until } from '../helpers/until.js'
import type { OpenOptions, TransactionOptions } from '../../src/index.js'
import type { Test } from '../helpers/test.js'

const ada = { email: 'ada@example.com' }

/** A database with `resolveCommits`, behind a network that fails on demand. */
async function openResolving (t: Test, transaction: TransactionOptions = {}, options: OpenOptions = {}) {
  const logger = recordingLogger()
  const { database, proxy } = await openByProxy(t, { logger, transaction: { resolveCommits: true, ...transaction }, ...options })
  const session = database.createSession()
  const ran: string[] = []
  session.afterCommit(() => ran.push('afterCommit'))
  session.afterRollback(() => ran.push('afterRollback'))
  await session.repo(users).create(ada)
  return { database, proxy, logger, session, ran }
}

for (const how of ['cut', 'reset', 'silence'] as const) {
  t.test(`20: a COMMIT whose answer was lost (${how}) is confirmed over another connection`, async (t) => {
    const { database, proxy, logger, session, ran } = await openResolving(t, how === 'silence' ? { settleTimeoutMillis: 2000 } : {})
    proxy.loseAnswer('commit', how)

    await session.commit()

    t.equal(session.outcome, 'committed')
    t.same(ran, ['afterCommit'])
    t.match(logger.lines.filter(({ message }) => message !== 'slow statement'), [
      { level: 'warn', message: 'commit confirmed by pg_xact_status', context: { transactionId: /^\d+$/ } }
    ])
    t.equal(await database.repo(users).count(), 1)
  })
}

t.test('20: also where the database is away for a while', async (t) => {
  const { database, proxy, session } = await openResolving(t)
  const lost = proxy.loseAnswer('commit')
  const committing = session.commit()
  await lost
  await proxy.refuse()
  const { accepted } = proxy
  await proxy.resume()
  await committing

  t.ok(proxy.accepted >= accepted)
  t.equal(await database.repo(users).count(), 1)
})

t.test('21: a COMMIT that never arrived is reported as not saved, retryable', async (t) => {
  const { database, proxy, session, ran } = await openResolving(t)
  proxy.loseRequest('commit')

  await t.rejects(session.commit(), {
    code: 'DB_CONNECTION', statusCode: 503, retryable: true, headers: { 'retry-after': '1' }, context: { transactionId: /^\d+$/ }
  })

  t.equal(session.outcome, 'rolledBack')
  t.same(ran, ['afterRollback'])
  t.equal(await database.repo(users).count(), 0)
})

t.test('22: a COMMIT that hangs beyond the limit is looked up until PostgreSQL has decided', async (t) => {
  const { database, logger } = await openEchoing(t, {
    transaction: { resolveCommits: true, settleTimeoutMillis: 2000 }
  }).then(({ database, lines }) => ({ database, logger: { lines } }))
  const held = await holdCommits(t, database)
  const session = database.createSession()
  await session.repo(users).create(ada)
  const committing = session.commit()
  await until(() => logger.lines.some(({ context }) => context['operation'] === 'pg_xact_status'))
  await held.release()
  await committing

  t.equal(session.outcome, 'committed')
})

t.test('19: the outcome stays unknown if the id cannot be looked up in time', async (t) => {
  const full = await openResolving(t, { settleTimeoutMillis: 100 }, { pool: { size: 1, maxOverflow: 0 } })
  const next = full.database.createSession()
  const begun = next.begin() // takes the slot of the lost connection
  full.proxy.loseAnswer('commit', 'cut')
  const silent = await openResolving(t, { settleTimeoutMillis: 100 })
  await silent.database.transaction((session) => session.repo(users).count())
  silent.proxy.silence()

  for (const { session, ran } of [full, silent]) {
    const error = await session.commit().catch((error: unknown) => error)
    t.ok(error instanceof CommitUnknownError)
    t.match(error, { statusCode: 500, retryable: false, headers: {}, context: { transactionId: /^\d+$/ } })
    t.equal(session.outcome, 'unknown')
    t.same(ran, [])
  }
  await begun
  await next.rollback()
  // PostgreSQL has not noticed that its client is gone, and waits for the COMMIT that the network dropped.
  silent.proxy.cut()
})

t.test('the id is read together with BEGIN, and only if the session may write', async (t) => {
  const { database, sent } = await openEchoing(t)
  sent()
  await database.session((session) => session.repo(users).create(ada), { resolveCommits: true })
  t.same(words(sent()), ['begin; select; insert', 'commit'])
  await database.session((session) => session.repo(users).count(), { resolveCommits: true, accessMode: 'read only' })
  t.same(words(sent()), ['begin; select', 'commit'], 'read only')
  await database.session((session) => session.repo(users).create({ email: 'grace@example.com' }))
  t.same(words(sent()), ['begin; insert', 'commit'], 'without the option')
  t.throws(() => database.createSession({ resolveCommits: 1 as never }), { message: /resolveCommits must be true or false/ })
})

t.test('closing a database waits for the callbacks of a commit that is under way', async (t) => {
  const { database, session } = await openResolving(t)
  const done: string[] = []
  session.afterCommit(async () => {
    done.push(String(await database.repo(users).count()))
    await database.session((next) => { next.afterCommit(() => done.push('one more')) })
  })
  const committing = session.commit()
  await Promise.all([committing, database.close()])
  t.same(done, ['1', 'one more'])
})
