import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { writeFolder } from '../folder.js'
import { call } from './calling.js'
import type { Test } from 'tap'

const rename = { tag: '0001_full_name', when: 2, sql: 'alter table users rename name to full_name' }
const update = (column: string) => `update users set name = $1 where ${column} = $2`

/** A project with a pending migration, and the command in it. */
async function build (t: Test, files: Record<string, string> = {}) {
  const { connectionString } = await createTestDatabase(t)
  const cwd = t.testdir({ 'statements.lock': '-- newest migration: 0000_users\nselect id, name from users\n', ...files })
  writeFolder(join(cwd, 'drizzle'), [{ tag: '0000_users', when: 1, sql: 'create table users (id int primary key, name text, born date)' }, rename])
  const prove = (...argv: string[]) => call(cwd, ['migrate', 'prove', ...argv], { env: { DATABASE_URL: connectionString } })
  return { cwd, connectionString, prove }
}

t.test('prove shows what breaks, with the way out, and exits with 3', async (t) => {
  const { cwd, prove } = await build(t)
  t.strictSame(await prove(), {
    code: 3,
    out: `The code that runs now: 1 of 1 statement breaks on the schema that 0001_full_name makes

  users.name is called users.full_name (42703)
    Add the new beside the old and let code use it; drop the old in a later deployment, when no running code names it
      select id, name from users
`,
    err: ''
  })

  const texts = ['id', 'name', 'born'].map(update)
  writeFileSync(join(cwd, 'statements.lock'), `-- newest migration: 0000_users\nselect id, name from users\nselect id from users\n${texts.join('\n')}\n`)
  t.equal((await prove()).out, `The code that runs now: 4 of 5 statements break on the schema that 0001_full_name makes

  users.name is called users.full_name (42703)
    Add the new beside the old and let code use it; drop the old in a later deployment, when no running code names it
      select id, name from users
      ${texts[2]}
      ${texts[0]}
      and 1 more
`)
})

t.test('prove exits with 0 if nothing breaks, and tells what it could not prove', async (t) => {
  const { prove, cwd } = await build(t)
  t.match(await prove('--accept', 'users.name'), { code: 0, out: 'The code that runs now: nothing breaks in 1 statement on the schema that 0001_full_name makes\n' })
  t.match(await prove('--accept', 'users'), { code: 0 })

  writeFileSync(join(cwd, 'statements.lock'), 'select id from users\nselect a from t\n')
  t.match(await prove('--from', '0000_users'), {
    code: 0,
    out: `The code that runs now: nothing breaks in 2 statements on the schema that 0001_full_name makes

  Not proved, because PostgreSQL refuses it on the schema that the code was written for:
    select a from t
      relation "t" does not exist
`
  })
  writeFileSync(join(cwd, 'statements.lock'), 'select id from users\nselect a from t\nselect b from t\n')
  t.match(await prove('--from', '0001_full_name'), { code: 0, out: /on the schema of 0001_full_name, behind which nothing is pending\n\n {2}Not proved, because PostgreSQL refuses them/ })
})

t.test('prove says in which order to migrate and deploy', async (t) => {
  const { prove } = await build(t, {
    'all.lock': 'select id from users',
    'old.lock': 'select name from users',
    'new.lock': 'select full_name from users'
  })
  const order = async (...argv: string[]) => { const { code, out } = await prove('--from', '0000_users', ...argv); return [code, out.trimEnd().split('\n').at(-1)] }

  t.strictSame(await order('--lock', 'all.lock', '--new-lock', 'all.lock'), [0, 'Migrate and deploy in any order'])
  t.strictSame(await order('--lock', 'all.lock', '--new-lock', 'new.lock'), [0, 'Migrate first, then deploy'])
  t.strictSame(await order('--lock', 'old.lock', '--new-lock', 'all.lock'), [3, 'Deploy first, then migrate'])
  t.strictSame(await order('--lock', 'old.lock', '--new-lock', 'all.lock', '--first', 'deploy'), [0, 'Deploy first, then migrate'])
  t.strictSame(await order('--lock', 'old.lock', '--new-lock', 'new.lock', '--first', 'migrate'), [3, 'Neither order works: make two deployments of it'])
  t.match(await prove('--from', '0000_users', '--lock', 'all.lock', '--new-lock', 'new.lock'), {
    out: /\n\nThe new code: 1 of 1 statement breaks on the schema of 0000_users\n\n {2}users\.full_name is called users\.name \(42703\)\n {4}Apply the migrations before this code starts\n/
  })
})

t.test('prove answers a pipeline with one JSON document', async (t) => {
  const { prove } = await build(t)
  const { code, out } = await prove('--json')
  t.equal(code, 3)
  t.match(JSON.parse(out), {
    ok: false,
    from: '0000_users',
    pending: ['0001_full_name'],
    running: { statements: 1, broken: [{ object: 'users.name', sqlState: '42703', statements: ['select id, name from users'] }], unproved: [] }
  })
})

t.test('prove shows what changes without an error, and all pending migrations', async (t) => {
  const { prove, cwd } = await build(t, { 'old.lock': 'insert into users (id) values ($1)' })
  writeFolder(join(cwd, 'drizzle'), [
    { tag: '0000_users', when: 1, sql: "create table users (id int primary key, name text default 'x')" },
    { tag: '0001_default', when: 2, sql: 'alter table users alter name drop default' },
    { tag: '0002_comment', when: 3, sql: "comment on table users is 'People'" }
  ])
  t.match((await prove('--from', '0000_users', '--lock', 'old.lock')).out, /breaks on the schema that 0001_default, 0002_comment make\n\n {2}users\.name has no default, and the statement relies on one: the column becomes NULL\n/)
})

t.test('prove runs SQL before the migrations, and as a role', async (t) => {
  const { prove, cwd } = await build(t, { 'setup.sql': 'do $$ begin create role prove_app; exception when duplicate_object then end $$' })
  writeFolder(join(cwd, 'drizzle'), [
    { tag: '0000_users', when: 1, sql: 'create table users (id int primary key, name text); grant select on users to prove_app' },
    { tag: '0001_revoke', when: 2, sql: 'revoke select on users from prove_app' }
  ])
  t.match(await prove('--sql', 'setup.sql', '--role', 'prove_app'), { code: 3, out: /\n {2}users is not as the statement needs it: permission denied for table users \(42501\)\n {4}Let the privilege stay/ })
})

t.test('prove uses an embedded PostgreSQL where no database is given', async (t) => {
  const { cwd } = await build(t)
  t.match(await call(cwd, ['migrate', 'prove']), { code: 3, out: /users\.name/ })
  const env = { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' }
  t.intercept(process, 'env', { value: { ...process.env, ...env } })
  t.match(await call(cwd, ['migrate', 'prove', '--url', ''], { env }), { code: 3, out: /users\.name/ })
  t.match(await call(cwd, ['migrate', 'prove'], { env }), { code: 1, err: /ECONNREFUSED/ })
})

t.test('prove refuses what it cannot use', async (t) => {
  const { prove, cwd, connectionString } = await build(t)
  t.match(await prove('--first', 'both'), { code: 2, err: '--first is migrate or deploy\n' })
  t.match(await prove('--first', 'deploy'), { code: 1, err: /newLock/ })
  t.match(await prove('--lock', 'none.lock'), { code: 1, err: /^There is no .*none\.lock: recordStatements\(\)/ })
  t.match(await prove('--from', '0007_none'), { code: 1, err: /^There is no migration 0007_none in / })
  t.match(await prove('--to', '0000_users'), { code: 2, err: /no option --to/ })

  const stop = new AbortController()
  stop.abort()
  t.match(await call(cwd, ['migrate', 'prove'], { env: { DATABASE_URL: connectionString }, signal: stop.signal }), { code: 130, err: /aborted/ })
  t.match(readFileSync(join(cwd, 'statements.lock'), 'utf8'), 'select id, name', 'the lock stays as it is')
})
