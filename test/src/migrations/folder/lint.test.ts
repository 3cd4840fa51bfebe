import t from 'tap'
import { runMigrations } from '../../../../src/migrations/index.js'
import { lint } from '../../../../src/migrations/folder/lint.js'
import { parseMigration } from '../../../../src/migrations/folder/directives.js'
import { posts, users } from '../folder.js'
import { build, catalogue } from '../setup.js'

const complaints = (text: string) => lint(parseMigration(text, 'x.sql'), 'x.sql')
const marked = (text: string) => `-- data-access: no-transaction\n${text}`

t.test('60: what begins or ends a transaction, or cannot run in one, is refused by its file and statement, unless the file is marked', async (t) => {
  const refused = [
    'begin', 'start transaction', 'commit', 'commit and chain', 'end', 'abort', 'rollback', 'rollback work', "prepare transaction 'a'", "commit prepared 'a'",
    'create index concurrently a on t (b)', 'create unique index concurrently if not exists a on t (b)', 'drop index concurrently a',
    'reindex table concurrently t',
    'reindex (concurrently) index a', 'reindex database d', 'reindex (verbose) schema s', 'alter table t detach partition s.p concurrently',
    'vacuum', 'vacuum (full) t', 'cluster', 'cluster verbose',
    'create database d', 'drop tablespace s', 'alter database d set tablespace s', "alter system set work_mem = '1MB'", 'discard all',
    'Create /* a */ INDEX\n-- b\nConcurrently a on t (b)'
  ]
  for (const sql of refused) {
    t.match(complaints(`select 1;\n--> statement-breakpoint\nselect 2; ${sql};`), [/^x\.sql, statement 2, [A-Z ]+: .*data-access: no-transaction/], sql)
    t.strictSame(complaints(marked(`select 1; ${sql}`)), [], sql)
  }
})

t.test('60: what only looks like it is let through', async (t) => {
  const allowed = [
    "select 'commit; vacuum'", 'do $$ begin perform 1; end $$', 'create function f() returns int language sql begin atomic select 1; end',
    '-- commit;\nselect 1', '/* vacuum; */ select 1',
    'create table "commit" ()', 'create index "concurrently" on t (b)', 'create index concurrently_a on t (b)', 'savepoint a',
    'rollback to savepoint a', 'rollback work to a', 'release a',
    'refresh materialized view concurrently v', 'cluster t using i', 'alter table t detach partition p', 'reindex table t',
    'alter database d set work_mem = 1', 'alter database "a SET TABLESPACE" set work_mem = 1', 'create index a on vacuum (commit)',
    "alter type mood add value 'sad'"
  ]
  for (const sql of allowed) t.strictSame(complaints(sql), [], sql)
})

t.test('60: an index that is built outside of a transaction needs a name by which it is found again', async (t) => {
  t.match(complaints(marked('create index concurrently on t (b)')), [/^x\.sql, statement 1, CREATE INDEX CONCURRENTLY: has no name/])
})

t.test('60: a file is refused once for each reason, with all of its statements, and says CONCURRENTLY', async (t) => {
  const text = [
    'create unique index concurrently a on t (b)',
    'commit',
    'alter table t detach partition p concurrently',
    'reindex (concurrently) index a',
    'select 1',
    'rollback'
  ].join(';\n--> statement-breakpoint\n')
  t.match(complaints(text), [
    /^x\.sql, statement 1, CREATE UNIQUE INDEX CONCURRENTLY; statement 3, ALTER TABLE T CONCURRENTLY; statement 4, REINDEX CONCURRENTLY: cannot run in a transaction/,
    /^x\.sql, statement 2, COMMIT; statement 6, ROLLBACK: a file is one transaction already/
  ])
  t.equal(complaints(text).length, 2)
})

t.test('60: a file that would be refused is refused before those that come before it are run', async (t) => {
  const { client, tables, ...options } = await build(t, [
    users,
    { ...posts, sql: 'create table posts (id int);\n--> statement-breakpoint\ncreate index concurrently posts_id on posts (id); commit' }
  ])
  const before = await catalogue(client)

  const refusal = {
    code: 'DB_MIGRATION_FAILED', message: /^0001_posts\.sql, statement 2, CREATE INDEX CONCURRENTLY: .*\n0001_posts\.sql, statement 2, COMMIT: /
  }
  await t.rejects(runMigrations(options), refusal)
  await t.rejects(runMigrations({ ...options, dryRun: true }), refusal)
  t.strictSame(await catalogue(client), before)
  t.equal((await runMigrations({ ...options, to: '0000_users' })).applied.length, 1, 'what comes before it can be applied')
})

t.test('60: what cannot be read from a file is refused by PostgreSQL, with the way out', async (t) => {
  const { tables, ...options } = await build(t, [{ ...posts, sql: 'do $$ begin commit; end $$' }])

  await t.rejects(runMigrations(options), {
    code: 'DB_MIGRATION_FAILED', message: /mark it with the line -- data-access: no-transaction/, context: { sqlState: '2D000' }
  })
})
