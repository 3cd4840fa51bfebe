import { Client } from 'pg'
import t from 'tap'
import { checkMigrations, rollbackMigrations, runMigrations, SchemaMigrationError } from '../../../src/migrations/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { writeFolder, type TestMigration } from './folder.js'
import type { Test } from 'tap'
import type { SchemaRun } from '../../../src/migrations/index.js'

const users: TestMigration = {
  tag: '0000_users',
  when: 1700000000000,
  sql: 'CREATE TYPE "public"."mood" AS ENUM(\'calm\');\n--> statement-breakpoint\nCREATE TABLE "users" ("id" integer PRIMARY KEY, "mood" "mood")',
  down: 'DROP TABLE "users";\n--> statement-breakpoint\nDROP TYPE "public"."mood"'
}
const posts: TestMigration = {
  tag: '0001_posts',
  when: 1700000001000,
  sql: 'CREATE TABLE "posts" ("user_id" integer);\n--> statement-breakpoint\n' +
    'ALTER TABLE "posts" ADD CONSTRAINT "posts_user" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id")',
  down: 'DROP TABLE "posts"'
}
const indexed: TestMigration = {
  tag: '0002_indexed',
  when: 1700000002000,
  sql: '-- data-access: no-transaction\nCREATE INDEX CONCURRENTLY "posts_index" ON "posts" ("user_id");\n--> statement-breakpoint\nINSERT INTO "posts" VALUES (null)',
  down: 'DROP INDEX "posts_index"'
}

async function build (t: Test, names: readonly string[], migrations: readonly TestMigration[] = [users, posts, indexed]) {
  const { connectionString } = await createTestDatabase(t, { sql: names.map((name) => `create schema "${name}";`).join(' ') })
  const client = new Client({ connectionString })
  await client.connect()
  t.after(() => client.end())
  const read = async (text: string) => (await client.query<{ found: string }>(text)).rows.map(({ found }) => found)
  const tables = () => read("select schemaname || '.' || tablename as found from pg_tables where schemaname !~ '^pg_|^information' and tablename !~ '^__' order by 1")
  return { client, read, tables, options: { connectionString, folder: writeFolder(t.testdir({}), migrations), schemas: 'tenant_%' } }
}

const told = (schemas: readonly SchemaRun[]) => schemas.map(({ schema, migrations, error }) => {
  return [schema, ...migrations.map(({ tag }) => tag), ...error === undefined ? [] : [error.code]]
})
const reportOf = async (run: Promise<unknown>): Promise<readonly SchemaRun[]> => {
  const error: unknown = await run.catch((thrown: unknown) => thrown)
  return error instanceof SchemaMigrationError ? error.schemas : []
}

t.test('applies a folder in every schema that matches, and in no other', async (t) => {
  const { tables, read, options } = await build(t, ['tenant_a', 'tenant_b', 'tenantc', 'other', 'tenant_D.e'])
  const { schemas } = await runMigrations(options)

  t.strictSame(told(schemas), ['tenant_D.e', 'tenant_a', 'tenant_b', 'tenantc'].map((schema) => [schema, '0000_users', '0001_posts', '0002_indexed']), '_ is a wildcard, too')
  t.strictSame(await tables(), ['tenant_D.e.posts', 'tenant_D.e.users', 'tenant_a.posts', 'tenant_a.users', 'tenant_b.posts', 'tenant_b.users', 'tenantc.posts', 'tenantc.users'].sort())
  t.strictSame(await read("select distinct n.nspname = f.nspname as found from pg_constraint c join pg_namespace n on n.oid = connamespace join pg_class on pg_class.oid = confrelid join pg_namespace f on f.oid = relnamespace where conname = 'posts_user'"), [true], 'a foreign key stays in its schema')
  t.strictSame(await read("select n.nspname as found from pg_type join pg_namespace n on n.oid = typnamespace where typname = 'mood' order by 1"), ['tenant_D.e', 'tenant_a', 'tenant_b', 'tenantc'])
  t.strictSame(await read("select schemaname as found from pg_tables where tablename = '__drizzle_migrations' order by 1"), ['tenant_D.e', 'tenant_a', 'tenant_b', 'tenantc'], 'each has its own table')
  t.strictSame(told((await runMigrations(options)).schemas), [['tenant_D.e'], ['tenant_a'], ['tenant_b'], ['tenantc']])
})

t.test('a failure in one schema stops no other, and the next run goes on there', async (t) => {
  const { client, read, options } = await build(t, ['tenant_a', 'tenant_b', 'tenant_c'])
  await client.query('create table tenant_b.posts (own int)')
  const steps: string[] = []
  const run = runMigrations({ ...options, onProgress: ({ schema, tag, statement }) => steps.push(`${schema} ${tag} ${statement}`) })
  await t.rejects(run, { code: 'DB_MIGRATION_FAILED', message: /^1 of 3 schemas are not finished.*\ntenant_b: 0001_posts\.sql failed at statement 1 of 2/s })
  t.strictSame(told(await reportOf(run)), [['tenant_a', '0000_users', '0001_posts', '0002_indexed'], ['tenant_b', '0000_users', 'DB_MIGRATION_FAILED'], ['tenant_c', '0000_users', '0001_posts', '0002_indexed']])
  t.ok(steps.includes('tenant_c 0002_indexed 2'))

  await client.query('drop table tenant_b.posts')
  t.strictSame(told((await runMigrations(options)).schemas), [['tenant_a'], ['tenant_b', '0001_posts', '0002_indexed'], ['tenant_c']])
  t.strictSame(await read('select count(*)::int as found from tenant_b.posts'), [1])
})

t.test('a file outside a transaction continues in its schema at the statement that failed', async (t) => {
  const { client, read, options } = await build(t, ['tenant_a', 'tenant_b'])
  await runMigrations({ ...options, to: '0001_posts' })
  await client.query('alter table tenant_a.posts add constraint filled check (user_id is not null)')
  t.strictSame(told(await reportOf(runMigrations(options))), [['tenant_a', 'DB_MIGRATION_FAILED'], ['tenant_b', '0002_indexed']])
  t.match(await checkMigrations(options), { ok: false, problems: [{ schema: 'tenant_a', kind: 'unfinished' }, { schema: 'tenant_a', kind: 'pending', tag: '0002_indexed' }] })

  await client.query('alter table tenant_a.posts drop constraint filled')
  t.strictSame(told((await runMigrations(options)).schemas), [['tenant_a', '0002_indexed'], ['tenant_b']])
  t.strictSame(await read("select schemaname as found from pg_indexes where indexname = 'posts_index' order by 1"), ['tenant_a', 'tenant_b'])
  t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
})

t.test('a signal stops the whole run, and the report names the schemas that were not reached', async (t) => {
  const { options } = await build(t, ['tenant_a', 'tenant_b', 'tenant_c'])
  const stop = new AbortController()
  const run = runMigrations({ ...options, signal: stop.signal, onProgress: ({ schema, tag }) => { if (schema === 'tenant_b' && tag === '0001_posts') stop.abort() } })
  const report = await reportOf(run)
  t.strictSame(told(report), [['tenant_a', '0000_users', '0001_posts', '0002_indexed'], ['tenant_b', '0000_users', 'DB_MIGRATION_FAILED'], ['tenant_c', 'DB_MIGRATION_PENDING']])
  t.equal((await runMigrations(options)).schemas.length, 3)
})

t.test('an error of a listener, and a runner that does not end, stop the whole run', async (t) => {
  const { client, options } = await build(t, ['tenant_a', 'tenant_b', 'tenant_c', 'tenant_d'])
  const thrown = runMigrations({ ...options, onProgress: () => { throw new Error('no') } })
  t.strictSame(told(await reportOf(thrown)).map(([, code]) => code), ['DB_MIGRATION_FAILED', 'DB_MIGRATION_PENDING', 'DB_MIGRATION_PENDING', 'DB_MIGRATION_PENDING'])
  await t.rejects(thrown, { message: /\nand 1 more$/ })

  await client.query("begin; select pg_advisory_xact_lock(hashtextextended('fastify-data-access/migrations', 0))")
  t.strictSame(told(await reportOf(runMigrations({ ...options, lockTimeoutSeconds: 0 }))).map(([, code]) => code), ['DB_MIGRATION_LOCKED', 'DB_MIGRATION_PENDING', 'DB_MIGRATION_PENDING', 'DB_MIGRATION_PENDING'])
  await client.query('rollback')
})

t.test('two runners at once apply each file once', async (t) => {
  const names = Array.from({ length: 8 }, (_, place) => `tenant_${place}`)
  const { read, options } = await build(t, names)
  const both = await Promise.all([runMigrations(options), runMigrations(options)])
  for (const name of names) {
    const applied = both.flatMap(({ schemas }) => schemas.filter(({ schema }) => schema === name)).flatMap(({ migrations }) => migrations.map(({ tag }) => tag))
    t.strictSame(applied.sort(), ['0000_users', '0001_posts', '0002_indexed'], name)
    t.strictSame(await read(`select count(*)::int as found from ${name}.posts`), [1], name)
  }
})

t.test('rolls back in every schema to a tag, and a repeated rollback undoes no more', async (t) => {
  const { tables, options } = await build(t, ['tenant_a', 'tenant_b'])
  await runMigrations(options)
  t.strictSame(told((await rollbackMigrations({ ...options, confirmIrreversible: true, to: '0001_posts', dryRun: true })).schemas), [['tenant_a', '0002_indexed'], ['tenant_b', '0002_indexed']])
  t.strictSame(told((await rollbackMigrations({ ...options, confirmIrreversible: true, to: '0000_users' })).schemas), [['tenant_a', '0002_indexed', '0001_posts'], ['tenant_b', '0002_indexed', '0001_posts']])
  t.strictSame(told((await rollbackMigrations({ ...options, confirmIrreversible: true, to: '0000_users' })).schemas), [['tenant_a'], ['tenant_b']])
  t.strictSame(await tables(), ['tenant_a.users', 'tenant_b.users'])
  await t.rejects(rollbackMigrations({ ...options, confirmIrreversible: true, steps: 1 } as never), { name: 'UsageError', message: /needs to: if it were repeated with steps/ })
})

t.test('a schema whose rows a rollback would drop is refused, and the others are rolled back', async (t) => {
  const { client, tables, options } = await build(t, ['tenant_a', 'tenant_b'], [users, posts])
  await runMigrations(options)
  await client.query('insert into tenant_b.posts values (null)')
  const back = { ...options, to: '0000_users' }

  t.strictSame(told(await reportOf(rollbackMigrations({ ...back, dryRun: true }))), [['tenant_a', '0001_posts'], ['tenant_b', 'DB_MIGRATION_IRREVERSIBLE']])
  const runs = await reportOf(rollbackMigrations(back))
  t.strictSame(told(runs), [['tenant_a', '0001_posts'], ['tenant_b', 'DB_MIGRATION_IRREVERSIBLE']])
  t.match(runs[1]?.error?.message, /^0001_posts\.down\.sql would drop 1 row of posts: /)
  t.strictSame(await tables(), ['tenant_a.users', 'tenant_b.posts', 'tenant_b.users'])
  t.strictSame(told((await rollbackMigrations({ ...back, confirmIrreversible: true })).schemas), [['tenant_a'], ['tenant_b', '0001_posts']])
})

t.test('a dry run reports what would be applied in each schema, and changes nothing', async (t) => {
  const { tables, options } = await build(t, ['tenant_a', 'tenant_b'], [users])
  await runMigrations({ ...options, schemas: ['tenant_a'] })
  t.strictSame(told((await runMigrations({ ...options, dryRun: true })).schemas), [['tenant_a'], ['tenant_b', '0000_users']])
  t.strictSame(await tables(), ['tenant_a.users'])
})

t.test('no schema matches: nothing is done; a name without a schema is refused', async (t) => {
  const { client, options } = await build(t, [])
  t.strictSame(await runMigrations(options), { schemas: [] })
  await t.rejects(runMigrations({ ...options, schemas: ['tenant_a'] }), { name: 'UsageError', message: /^There is no schema "tenant_a"/ })
  await t.rejects(runMigrations({ ...options, schemas: undefined, searchPath: ['public'] } as never), { name: 'UsageError', message: /give schemas, too/ })
  await client.query('create schema "tenant_$"')
  await t.rejects(runMigrations(options), { name: 'UsageError', message: /a dollar sign/ })
  t.strictSame((await runMigrations({ ...options, schemas: 'pg_%' })).schemas, [], 'never those of PostgreSQL')
})

t.test('a schema that is dropped during the run stays dropped', async (t) => {
  const removal = 'CREATE TABLE "own" ();\n--> statement-breakpoint\nDROP SCHEMA IF EXISTS tenant_b, tenant_c'
  const { tables, options } = await build(t, ['tenant_a', 'tenant_b', 'tenant_c', 'tenant_d'], [{ tag: '0000_own', when: 1_700_000_000_000, sql: removal }])
  const report = await reportOf(runMigrations(options))
  t.strictSame(told(report), [['tenant_a', '0000_own'], ['tenant_b', 'DB_MIGRATION_FAILED'], ['tenant_c', 'DB_MIGRATION_FAILED'], ['tenant_d', '0000_own']])
  t.match(report[1]?.error?.message, 'The schema "tenant_b" was dropped')
  t.strictSame(await tables(), ['tenant_a.own', 'tenant_d.own'])
  t.strictSame(told((await runMigrations(options)).schemas), [['tenant_a'], ['tenant_d']])
})

t.test('a file finds nothing outside its schema, unless the search path names it', async (t) => {
  const { client, options } = await build(t, ['tenant_a', 'extensions'], [{ tag: '0000_own', when: 1_700_000_000_000, sql: 'CREATE TABLE "own" ("value" "label")' }])
  await client.query('create domain public.label as text; create domain extensions.label as text')
  t.match(await reportOf(runMigrations(options)), [{ schema: 'tenant_a', error: { code: 'DB_MIGRATION_FAILED', cause: { code: '42704' } } }])
  t.strictSame(told((await runMigrations({ ...options, searchPath: ['extensions'] })).schemas), [['tenant_a', '0000_own']])
})

t.test('a tag that no file has is reported for each schema; a server that cannot be reached is thrown as it is', async (t) => {
  const { options } = await build(t, ['tenant_a'], [users])
  await t.rejects(runMigrations({ ...options, to: '0009_none' }), { name: 'MigrationError', message: /\ntenant_a: There is no migration 0009_none/ })
  await t.rejects(runMigrations({ ...options, connectionString: 'postgresql://nobody@127.0.0.1:1/none' }), { code: 'DB_CONNECTION' })
})
