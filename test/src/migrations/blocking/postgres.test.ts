/** Asks PostgreSQL whether the rules are true: which locks it keeps, and whether it reads or writes the rows of a table meanwhile. */
import t from 'tap'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { until } from '../../../helpers/until.js'
import { forms, formsOf18 } from './forms.js'
import { foundIn } from './found.js'
import { connect, observe, open, prepare } from './observe.js'
import type { Client } from 'pg'

t.test('what a rule finds keeps its lock while it reads or writes every row, and what none finds does not', async (t) => {
  const client = await connect(t)
  const { rows: [{ version }] } = await client.query("select current_setting('server_version_num')::int as version")
  for (const [rule, sql, ...earlier] of version >= 180_000 ? [...forms, ...formsOf18] : forms) {
    const { works, locks } = await observe(client, sql, earlier)
    if (rule === 'none') {
      t.strictSame([...works].filter((table) => locks.has(table)), [], sql)
      continue
    }
    const [finding] = foundIn(sql, earlier)
    t.ok(works.has(String(finding?.table)), `${sql} works on ${finding?.table}`)
    t.equal(locks.get(String(finding?.table)), finding?.lock, `${sql} locks ${finding?.table}`)
  }
})

t.test('a change of rows, or a validation, keeps the locks of the statements before it in its transaction', async (t) => {
  const client = await connect(t)
  const add = 'ALTER TABLE users ADD CONSTRAINT k CHECK (age > 0) NOT VALID'
  const cases = [
    [`${add}; ALTER TABLE users VALIDATE CONSTRAINT k`, 'work-under-lock users'],
    ['ALTER TABLE users ADD CONSTRAINT k FOREIGN KEY (owner) REFERENCES teams NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT k', 'work-under-lock users'],
    ['ALTER TABLE teams ADD x int; WITH a AS (SELECT 1) UPDATE users SET age = 2', 'work-under-lock teams'],
    ['LOCK TABLE users IN SHARE MODE; DELETE FROM users WHERE age > 100', 'work-under-lock users'],
    ['LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE; DELETE FROM users', undefined],
    ['ALTER TABLE users DISABLE TRIGGER ALL; UPDATE users SET age = 2', undefined]
  ] as const
  for (const [sql, expected] of cases) {
    const { locks, works } = await observe(client, sql, [])
    const found = foundIn(sql).find(({ rule }) => rule === 'work-under-lock')
    t.equal(found === undefined ? undefined : `${found.rule} ${found.table}`, expected, sql)
    if (found === undefined) continue
    t.equal(locks.get(String(found.table)), found.lock, sql)
    t.ok(works.has('users'), sql)
  }
  t.strictSame(foundIn(`-- data-access: no-transaction\n${add}; ALTER TABLE users VALIDATE CONSTRAINT k`), [], 'outside a transaction no lock is kept')
  const [finding] = foundIn('ALTER TABLE users VALIDATE CONSTRAINT k, ALTER note SET DEFAULT 1', [add])
  t.equal(finding?.rule, 'work-under-lock', 'the actions of one statement share its locks')
  t.equal((await observe(client, 'ALTER TABLE users VALIDATE CONSTRAINT k, ALTER note SET DEFAULT 1', [add])).locks.get('users'), finding?.lock)
})

t.test('a file that alters two tables keeps both locked', async (t) => {
  const client = await connect(t)
  const { locks } = await observe(client, 'ALTER TABLE users ADD x int; ALTER TABLE teams ADD x int; DROP TABLE spare', [])

  t.strictSame([locks.get('users'), locks.get('teams')], ['ACCESS EXCLUSIVE', 'ACCESS EXCLUSIVE'])
})

t.test('a column NOT NULL without a default is refused where there is a row', async (t) => {
  const client = await connect(t)
  for (const action of ['ADD x int NOT NULL', 'ADD COLUMN x uuid CONSTRAINT own NOT NULL', 'ADD x int NOT NULL UNIQUE']) {
    t.equal(foundIn(`ALTER TABLE users ${action}`)[0]?.rule, 'not-null-without-default', action)
    await t.rejects(observe(client, `ALTER TABLE users ${action}`, []), { code: '23502' }, action)
  }
})

/** The strongest lock that a statement outside a transaction asks for, while another transaction uses the table. */
async function lockOf ([client, other, watch]: readonly Client[], sql: string): Promise<string | undefined> {
  await prepare(client!)
  await other!.query('begin; select * from totals; lock table users in row exclusive mode')
  const { rows: [{ pid }] } = await client!.query('select pg_backend_pid() as pid')
  const done = client!.query(sql)
  await until(async () => (await watch!.query('select 1 from pg_locks where pid = $1 and not granted', [pid])).rowCount! > 0)
  const { rows } = await watch!.query("select mode from pg_locks where pid = $1 and relation = 'users'::regclass", [pid])
  await other!.query('rollback')
  await done
  const modes = rows.map(({ mode }) => String(mode))
  return ['AccessExclusiveLock', 'ShareLock', 'ShareUpdateExclusiveLock'].find((mode) => modes.includes(mode))
}

t.test('statements with CONCURRENTLY lock out neither reads nor writes, and those without it do', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const clients = await Promise.all([0, 1, 2].map(() => open(t, connectionString)))
  const cases = [
    ['CREATE INDEX CONCURRENTLY i ON users (note)', 'ShareUpdateExclusiveLock', undefined],
    ['DROP INDEX CONCURRENTLY users_name', 'ShareUpdateExclusiveLock', undefined],
    ['DROP INDEX IF EXISTS users_name', 'AccessExclusiveLock', 'drop-index'],
    ['REINDEX TABLE CONCURRENTLY users', 'ShareUpdateExclusiveLock', undefined],
    ['REINDEX (CONCURRENTLY) INDEX users_name', 'ShareUpdateExclusiveLock', undefined],
    ['REINDEX INDEX users_name', 'ShareLock', 'reindex'],
    ['VACUUM FULL users', 'AccessExclusiveLock', 'rewrite-table'],
    ['VACUUM (ANALYZE, FULL) users', 'AccessExclusiveLock', 'rewrite-table'],
    ['CLUSTER users USING users_name', 'AccessExclusiveLock', 'rewrite-table'],
    ['BEGIN; LOCK TABLE users; COMMIT', 'AccessExclusiveLock', 'lock-table']
  ] as const
  for (const [sql, lock, rule] of cases) {
    t.equal(foundIn(`-- data-access: no-transaction\n${sql}`)[0]?.rule, rule, sql)
    t.equal(await lockOf(clients, sql), lock, sql)
  }
})
