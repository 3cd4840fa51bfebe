import { Client } from 'pg'
import t from 'tap'
import { build, call } from './calling.js'

t.test('runs the migrations of every schema, with one report and one exit code', async (t) => {
  const { connectionString, cwd, migrate, json } = await build(t)
  t.match(await migrate('create', '-m', 'Users'), { code: 0 })
  t.match(await migrate('up', '--schemas', 'tenant_%'), { code: 0, out: 'No schema matches tenant_%\n' })
  const client = new Client({ connectionString })
  await client.connect()
  t.after(() => client.end())
  await client.query('create schema tenant_a; create schema tenant_b; create table tenant_b.users (own int)')

  t.match(await migrate('up', '--schemas', 'tenant_%', '--dry-run'), { code: 0, out: '2 to apply in 2 schemas\n  tenant_a  0000_users\n  tenant_b  0000_users\n' })
  t.match(await migrate('up', '--schemas', 'tenant_%'), {
    code: 1,
    out: /^1 applied in 2 schemas, 1 of them not finished\n {2}tenant_a {2}0000_users\n {2}tenant_b {2}0000_users\.sql failed at statement 1 of 1.*\n.*relation "users" already exists/,
    err: /^tenant_a {2}0000_users {2}1\/1 /
  })
  t.match(await json('up', '--schemas', 'tenant_%'), { code: 1, schemas: [{ schema: 'tenant_a', migrations: [] }, { schema: 'tenant_b', error: { code: 'DB_MIGRATION_FAILED', cause: { code: '42P07' } } }] })
  t.match(await migrate('status', '--schemas', 'tenant_%'), { code: 3, out: '1 of 2 schemas have everything applied\n  tenant_b  pending  0000_users\n' })
  t.match(await json('status', '--schemas', 'tenant_%'), { code: 3, schemas: [{ schema: 'tenant_a', pending: [] }, { schema: 'tenant_b', pending: ['0000_users'] }] })
  t.match(await migrate('check', '--schemas', 'tenant_%'), { code: 3, out: /\n {2}tenant_b {2}0000_users\.sql is not applied yet\n$/ })

  const stop = new AbortController()
  stop.abort()
  t.match(await call(cwd, ['migrate', 'up', '--schemas', 'tenant_%'], { env: { DATABASE_URL: connectionString }, signal: stop.signal }), { code: 130 })
  await client.query('drop table tenant_b.users')
  t.match(await migrate('up', '--schemas', 'tenant_%', '--search-path', 'public, tenant_a'), { code: 0, out: '1 applied in 2 schemas\n  tenant_b  0000_users\n' })
  await client.query("update tenant_a.__drizzle_migrations set hash = 'other'")
  t.match(await migrate('status', '--schemas', 'tenant_%'), { code: 3, out: /^1 of 2 schemas .*\n {2}tenant_a {2}0000_users\.sql was edited/ })
  t.match(await migrate('down', '--schemas', 'tenant_b', '--to', 'nothing'), { code: 0, out: '1 rolled back in 1 schema\n  tenant_b  0000_users\n' })
  t.match(await migrate('down', '--schemas', 'tenant_b', '--to', 'nothing', '--dry-run'), { code: 0, out: '0 to roll back in 1 schema\n' })
  t.match(await migrate('down', '--schemas', 'tenant_b'), { code: 2, err: /needs --to/ })
  t.match(await migrate('up', '--search-path', 'tenant_b'), { code: 2, err: /give --schemas, too/ })
  t.match(await migrate('up', '--schemas', 'tenant_b', '--folder', 'none'), { code: 1, err: /none/ })
})
