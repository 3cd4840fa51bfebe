import { join } from 'node:path'
import { Client } from 'pg'
import t, { type Test } from 'tap'
import { writeFolder } from '../folder.js'
import { build, callInTerminal } from './calling.js'

const refusal = '0000_users.down.sql would drop 2 rows of users: restore a backup instead, or pass confirmIrreversible to roll back anyway (for the command: --confirm-irreversible)'
const question = `${refusal}\nType yes to roll back anyway: `
const refused = 'Nothing was rolled back, because the answer was not yes\n'

/** A table with two rows, and the rollback of its migration in a terminal. */
async function buildWithRows (t: Test) {
  const { connectionString, cwd, migrate, json } = await build(t, {})
  writeFolder(join(cwd, 'drizzle'), [{ tag: '0000_users', when: 1_700_000_000_000, sql: 'create table users (id int)', down: 'drop table users' }])
  const call = (...argv: string[]) => migrate(...argv, '--folder', 'drizzle')
  await call('up')
  const client = new Client({ connectionString })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('insert into users values (1), (2)')
  const inTerminal = (options: Parameters<typeof callInTerminal>[2], ...argv: string[]) =>
    callInTerminal(cwd, ['migrate', 'down', '--folder', 'drizzle', ...argv], { ...options, env: { ...options.env, DATABASE_URL: connectionString } })
  const count = async () => (await client.query('select count(*)::int as rows from users')).rows[0].rows
  return { call, inTerminal, count, json: (...argv: string[]) => json(...argv, '--folder', 'drizzle') }
}

t.test('refuses to drop rows in a pipe, and shows what it drops when that is confirmed', async (t) => {
  const { call, json, count } = await buildWithRows(t)

  t.match(await call('down'), { code: 1, out: '', err: `${refusal}\n` })
  t.match(await json('down'), { code: 1, error: { code: 'DB_MIGRATION_IRREVERSIBLE', message: refusal } })
  t.match(await json('down', '--confirm-irreversible', '--dry-run'), { code: 0, rolledBack: [{ tag: '0000_users' }], lost: [{ file: '0000_users.down.sql', table: 'users', rows: 2 }] })
  t.match(await call('down', '--confirm-irreversible', '--dry-run'), { code: 0, out: '1 to roll back\n  0000_users\n  would drop 2 rows of users\n' })
  t.equal(await count(), 2)
  t.match(await call('down', '--confirm-irreversible'), { code: 0, out: '1 rolled back\n  0000_users\n  dropped 2 rows of users\n' })
})

t.test('asks in a terminal, and rolls back after yes', async (t) => {
  const { inTerminal } = await buildWithRows(t)

  const { code, out, err } = await inTerminal({ answer: ' yes ' })
  t.match({ code, out }, { code: 0, out: '1 rolled back\n  0000_users\n  dropped 2 rows of users\n' })
  t.ok(err.startsWith(question), err)
})

t.test('any other answer, the end of the input and Ctrl-C change nothing', async (t) => {
  const { inTerminal, count } = await buildWithRows(t)

  for (const answer of ['no', 'y', '', undefined]) {
    t.strictSame(await inTerminal({ answer }), { code: 1, out: '', err: `${question}${refused}` }, `for ${answer}`)
  }
  const stop = new AbortController()
  t.strictSame(await inTerminal({ signal: stop.signal, onQuestion: () => stop.abort() }), { code: 130, out: '', err: `${question}${refused}` })
  t.equal(await count(), 2)
})

t.test('does not ask in a pipeline, for a dry run, or after another failure', async (t) => {
  const { inTerminal, count } = await buildWithRows(t)
  const refusedAtOnce = { code: 1, out: '', err: `${refusal}\n` }

  t.strictSame(await inTerminal({ answer: 'yes', env: { CI: 'true' } }), refusedAtOnce)
  t.strictSame(await inTerminal({ answer: 'yes' }, '--dry-run'), refusedAtOnce)
  t.match(await inTerminal({ answer: 'yes' }, '--to', 'nobody'), { code: 1, err: /^There is no migration nobody/ })
  t.equal(await count(), 2)
})
