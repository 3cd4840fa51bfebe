import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { openDatabase } from '../../src/index.js'
import { findCommitStatus, askIdentity } from '../../src/session/transaction/commit-status.js'
import { queryOnce } from '../helpers/backend.js'
import { unhurried } from '../helpers/database.js'
import { recordingLogger } from '../helpers/logger.js'
import { startProxy } from '../helpers/proxy.js'
import { schema, tables, users } from '../helpers/schema.js'
import { startPair } from '../helpers/standby.js'
import { until } from '../helpers/until.js'
import type { Database, TransactionOptions } from '../../src/index.js'
import type { Test } from '../helpers/test.js'
import type { Proxy } from '../helpers/proxy.js'
import type { Pair } from '../helpers/standby.js'

const ada = { email: 'ada@example.com' }
const unknown = { code: 'DB_COMMIT_UNKNOWN', statusCode: 500, retryable: false, context: { transactionId: /^\d+$/ } }
const notSaved = { code: 'DB_CONNECTION', statusCode: 503, retryable: true, context: { transactionId: /^\d+$/ } }

/** A primary, its standby, and an address that leads to the primary. */
interface Address extends Pair {
  readonly proxy: Proxy
  /** Counts the rows of a server. */
  readonly count: (server: { readonly connectionString: string }) => Promise<number>
}

async function startAddress (t: Test): Promise<Address> {
  const folder = await mkdtemp(join(tmpdir(), 'data-access-standby-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const pair = await startPair(folder)
  t.teardown(() => Promise.all([pair.primary.stop(), pair.standby.stop()]))
  await queryOnce(pair.primary.connectionString, tables)
  await pair.standby.level()
  const proxy = await startProxy(t, pair.primary.connectionString)
  const count = async ({ connectionString }: { connectionString: string }): Promise<number> =>
    Number((await queryOnce<{ total: number }>(connectionString, 'select count(*)::int as total from users'))[0]?.total)
  return { ...pair, proxy, count }
}

async function openResolving (t: Test, { proxy }: Address, transaction: TransactionOptions = {}): Promise<Database> {
  const database = await openDatabase({
    connectionString: proxy.connectionString,
    schema,
    ...unhurried,
    transaction: { resolveCommits: true, settleTimeoutMillis: 3000, ...transaction }
  })
  t.teardown(() => database.close())
  return database
}

/** Writes, and loses the answer to COMMIT, or COMMIT itself, while the address moves. */
async function write (
  database: Database,
  { proxy }: Address,
  { loses, to }: { loses: 'answer' | 'request', to: { connectionString: string } }
): Promise<{ committing: Promise<void> }> {
  const session = database.createSession()
  await session.repo(users).create(ada)
  const lost = loses === 'answer' ? proxy.loseAnswer('commit') : proxy.loseRequest('commit')
  proxy.leadTo(to.connectionString)
  const committing = session.commit()
  committing.catch(() => {})
  await lost
  return { committing }
}

t.test('102: a standby with paused replay never makes a committed write look unsaved', async (t) => {
  const address = await startAddress(t)
  const { primary, standby, proxy, count } = address
  const database = await openResolving(t, address)
  await standby.lag()

  const { committing } = await write(database, address, { loses: 'answer', to: standby })

  await t.rejects(committing, unknown)
  t.equal(await count(primary), 1)
  t.equal(await count(standby), 0, 'it has not come so far')

  await t.test('102: after the promotion the row is there, and no reply denied it', async (t) => {
    await primary.stop()
    await standby.catchUp()
    await standby.promote()
    t.equal(await count(standby), 1)
  })

  await t.test('102: the server that has taken over can say of its own transactions', async (t) => {
    const next = await openResolving(t, address)
    const session = next.createSession()
    await session.repo(users).create({ email: 'grace@example.com' })
    proxy.loseAnswer('commit')
    await session.commit()
    t.equal(session.outcome, 'committed')
    t.equal(await count(standby), 2)
  })
})

t.test('102: if the address leads to a standby for a moment, the primary resolves the commit', async (t) => {
  const address = await startAddress(t)
  const { primary, standby, proxy, count } = address
  const database = await openResolving(t, address, { settleTimeoutMillis: 20_000 })
  await standby.lag()

  for (const loses of ['answer', 'request'] as const) {
    const { accepted } = proxy
    const { committing } = await write(database, address, { loses, to: standby })
    await until(() => proxy.accepted > accepted + 1)
    proxy.leadTo(primary.connectionString)

    if (loses === 'answer') await committing
    else await t.rejects(committing, notSaved)
    await queryOnce(primary.connectionString, 'delete from users')
    t.equal(await count(primary), 0)
  }

  await t.test('102: a write on a standby is a retryable 503, and its connection leaves the pool', async (t) => {
    for (const isolationLevel of ['read committed', 'serializable'] as const) {
      proxy.leadTo(standby.connectionString)
      const misled = await openResolving(t, address)
      const create = (): Promise<unknown> => misled.session((session) => session.repo(users).create(ada), { isolationLevel, resolveCommits: false })
      await t.rejects(create(), { code: 'DB_CONNECTION', statusCode: 503, retryable: true }, isolationLevel)
      proxy.leadTo(primary.connectionString)
      await create()
      await misled.repo(users).deleteMany({}, { all: true })
    }
  })
})

t.test('102: a promoted standby without the transaction says not saved; one with it, unknown', async (t) => {
  const address = await startAddress(t)
  const { primary, standby, proxy, count } = address
  const database = await openResolving(t, address)
  await standby.part()
  const { committing } = await write(database, address, { loses: 'answer', to: standby })
  await standby.promote()
  await t.rejects(committing, notSaved)
  t.equal(await count(standby), 0)

  await t.test('102: a server on an earlier timeline, which should be gone, is not believed', async (t) => {
    const next = await openResolving(t, address, { settleTimeoutMillis: 500 })
    const { committing } = await write(next, address, { loses: 'request', to: primary })
    await t.rejects(committing, unknown)
    proxy.leadTo(standby.connectionString)
  })
})

t.test('102: a promoted standby with the transaction does not say whose id it was', async (t) => {
  const address = await startAddress(t)
  const { primary, standby, count } = address
  const database = await openResolving(t, address, { settleTimeoutMillis: 20_000 })
  const { committing } = await write(database, address, { loses: 'answer', to: standby })
  await standby.level()
  await primary.stop()
  await standby.promote()
  await t.rejects(committing, unknown)
  t.equal(await count(standby), 1)
})

t.test('102: a commit that waits for a synchronous standby is saved only when the standby has it', async (t) => {
  const address = await startAddress(t)
  const { primary, standby, count } = address
  await queryOnce(primary.connectionString, "alter system set synchronous_standby_names = '*'")
  await queryOnce(primary.connectionString, 'select pg_reload_conf()')
  const waiting = (): Promise<Array<{ pid: number }>> => queryOnce(primary.connectionString, "select pid from pg_stat_activity where wait_event = 'SyncRep'")
  /** Writes, and terminates the backend whose COMMIT waits; resolves when the outcome is looked up. */
  const commitAlone = async (email: string, settleTimeoutMillis: number): Promise<{ committing: Promise<void> }> => {
    const database = await openResolving(t, address, { settleTimeoutMillis })
    const session = database.createSession()
    await session.repo(users).create({ email })
    const committing = session.commit()
    let isSettled = false
    committing.catch(() => {}).finally(() => { isSettled = true })
    await until(async () => (await waiting()).length === 1)
    const [ended] = await waiting()
    await queryOnce(primary.connectionString, 'select pg_terminate_backend($1)', [ended?.pid])
    await until(async () => isSettled || (await waiting()).some(({ pid }) => pid !== ended?.pid))
    return { committing }
  }

  await standby.part()
  const { committing } = await commitAlone('ada@example.com', 20_000)
  t.equal(await Promise.race([committing.then(() => 'saved'), 'asked']), 'asked')
  await standby.rejoin()
  await committing
  t.equal(await count(standby), 1, 'it was saved')

  await standby.part()
  const { committing: unanswered } = await commitAlone('grace@example.com', 2000)
  await t.rejects(unanswered, unknown)
  t.equal(await count(primary), 2)
  await primary.stop()
  await standby.promote()
  t.equal(await count(standby), 1, 'whoever took it for saved would have lost it')
})

t.test('102: another cluster, and a copy from before the transaction, are not believed', async (t) => {
  const address = await startAddress(t)
  const database = await openResolving(t, address)
  const { rows: [row] } = await database.execute<{ identity: string }>(sql.raw(`${askIdentity.text} as identity`))
  const [id, system, timeline, position, life] = String(row?.identity).split(' ')
  const ask = (...identity: unknown[]): ReturnType<typeof findCommitStatus> =>
    findCommitStatus(identity.join(' '), { pool: database.host.pool, caller: { logger: recordingLogger(), label: 'test' }, timeoutMillis: 500 })
  const never = 10n ** 15n

  t.equal(await ask(id, system, timeline, position, life), 'committed')
  t.equal(await ask(never, system, timeline, position, life), 'aborted', 'an id that was never given')
  t.equal(await ask(never, system, '00000000', position, life), 'aborted', 'a later timeline than that of the transaction')
  t.equal(await ask(id, system, '00000000', position, life), undefined, 'an id that may have been given anew')
  t.equal(await ask(id, system, timeline, position, 'another life'), undefined, 'an id that may have been given anew')
  for (const strange of [[1, timeline, position], [system, '000000FF', position], [system, timeline, 'FFFFFFFF/0']]) {
    t.equal(await ask(never, ...strange, life), undefined, strange.join(' '))
    t.equal(await ask(id, ...strange, life), undefined, strange.join(' '))
  }
})
