import t from 'tap'
import { parseMigration } from '../../../../src/migrations/folder/directives.js'
import { scanSql } from '../../../../src/migrations/folder/sql-scanner.js'
import { runMigrations } from '../../../../src/migrations/index.js'
import { unfitStatements } from '../../../../src/migrations/folder/unfit-statements.js'
import { posts, users } from '../folder.js'
import { build, catalogue } from '../setup.js'

t.test('a file without directives runs in a transaction, part by part', async (t) => {
  const { scanned, ...parsed } = parseMigration('create table a ();\n--> statement-breakpoint\ncreate table b (); create table c ();\n', 'x.sql')
  t.strictSame(parsed, {
    statements: ['create table a ();', 'create table b (); create table c ();'],
    transactional: true,
    irreversible: []
  })
})

t.test('a file with no-transaction runs outside a transaction, statement by statement', async (t) => {
  const { statements, transactional } = parseMigration('-- data-access: no-transaction\nvacuum a; vacuum b;\n--> statement-breakpoint\nvacuum c', 'x.sql')
  t.equal(transactional, false)
  t.strictSame(statements, ['-- data-access: no-transaction\nvacuum a', 'vacuum b', 'vacuum c'])
})

t.test('a file with only comments has no statements', async (t) => {
  t.strictSame(parseMigration('-- nothing\n/* at all */ ;\n--> statement-breakpoint\n', 'x.sql').statements, [])
  t.strictSame(parseMigration('', 'x.sql').statements, [])
})

t.test('reads each reason of an irreversible directive', async (t) => {
  const text = '-- data-access: irreversible the dropped column users.age\n--data-access:irreversible  rows of logs \r\nalter table users add age int'
  t.strictSame(parseMigration(text, 'x.down.sql').irreversible, ['the dropped column users.age', 'rows of logs'])
})

t.test('ignores a directive inside a string or function, and other comments', async (t) => {
  const text =
    "select '\n-- data-access: no-transaction\n', $$\n-- data-access: no-transaction\n$$; -- see data-access: no-transaction\n/* data-access: no-transaction */"
  t.equal(parseMigration(text, 'x.sql').transactional, true)
})

t.test('refuses an unknown directive, and a missing reason', async (t) => {
  t.throws(() => parseMigration('-- data-access: no-transactoin', 'x.sql'), {
    name: 'MigrationError', message: /^x\.sql has an unknown directive, no-transactoin: the directives are/
  })
  t.throws(() => parseMigration('-- data-access:', 'x.sql'), { message: /an unknown directive/ })
  t.throws(() => parseMigration('-- data-access: irreversible ', 'x.down.sql'), { message: /^x\.down\.sql has the directive irreversible without a reason/ })
})

t.test('the single statements of each text are kept', async (t) => {
  const scanned = (text: string) => parseMigration(text, 'x.sql').scanned.map((statements) => statements.map(({ sql }) => sql))
  t.strictSame(scanned('select 1; commit;\n--> statement-breakpoint\n-- nothing\n--> statement-breakpoint\nselect 2'), [['select 1', 'commit'], ['select 2']])
  t.strictSame(scanned('-- data-access: no-transaction\nvacuum a; vacuum b'), [['-- data-access: no-transaction\nvacuum a'], ['vacuum b']])
})

const sqlOf = (text: string) => scanSql(text).statements.map(({ sql }) => sql)
const wordsOf = (text: string) => scanSql(text).statements.map(({ words }) => words.join(' '))

t.test('a statement ends at a semicolon, and the last one with the text', async (t) => {
  t.strictSame(sqlOf('select 1; select 2 ;\n\nselect 3'), ['select 1', 'select 2', 'select 3'])
  t.strictSame(sqlOf(' ; ;; \n'), [])
})

t.test('a semicolon inside a string, name, comment or routine does not end a statement', async (t) => {
  const whole = [
    "select 'a;b', 'it''s; so'",
    "select E'it\\'s; so', e'\\\\'",
    'select ";" from "a "";"" b"',
    'select $$ begin; commit; $$, $x$ $$;$$ $y$;$y$ $x$',
    'select 1 /* a; /* nested; */ b; */ + 1',
    'select 1 -- a; b\n + 1',
    'create rule r as on insert to a do also (delete from b; delete from c)',
    'create or replace function f() returns int begin atomic select case when true then 1 else 2 end; select 2; end',
    'create procedure p() begin atomic select 1; end',
    'select $1, a$b$c from t',
    'select naïve'
  ]
  for (const text of whole) t.strictSame(sqlOf(`${text}; select 'next'`), [text, "select 'next'"], text)
})

t.test('a backslash escapes only in strings that begin with E', async (t) => {
  t.strictSame(sqlOf("select 'a\\'; select 'b'"), ["select 'a\\'", "select 'b'"])
  t.strictSame(sqlOf("select type'a\\'; select 2"), ["select type'a\\'", 'select 2'])
})

t.test('an unclosed string, comment or parenthesis ends with the text', async (t) => {
  for (const text of ["select 'a;", "select E'a;\\'", 'select "a;', 'select $$a;', 'select 1 /* a;', 'select (1;']) t.strictSame(sqlOf(text), [text], text)
})

t.test('the words of a statement are its keywords, names and signs, without strings and comments', async (t) => {
  t.strictSame(wordsOf("/* a */ create -- commit\n Index Concurrently \"My commit\" on t (a, b) where c = 'commit'"),
    ['CREATE INDEX CONCURRENTLY "My commit" ON T ( A , B ) WHERE C = \''])
  t.strictSame(wordsOf('begin; end case; END'), ['BEGIN', 'END CASE', 'END'])
})

t.test('returns line comments without their dashes, wherever they are', async (t) => {
  t.strictSame(scanSql("-- a\nselect '-- b', $$\n-- c\n$$ --d\r\n; --").lineComments, [' a', 'd', ''])
})

t.test('scans long texts and long strings', async (t) => {
  const long = `insert into t values ('${"x'';".repeat(500_000)}', E'${'\\\\'.repeat(500_000)}')`
  t.strictSame(sqlOf(`${long}; select 1`).map((sql) => sql.length), [long.length, 8])
  t.equal(wordsOf(`insert into t values ${'(1),'.repeat(50_000)}(1); select 1`).length, 2)
})

const complaints = (text: string) => unfitStatements(parseMigration(text, 'x.sql'), 'x.sql')
const marked = (text: string) => `-- data-access: no-transaction\n${text}`

t.test('60: refuses statements that control or cannot run in a transaction, except with no-transaction', async (t) => {
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

t.test('60: accepts statements that only resemble those', async (t) => {
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

t.test('60: an index built outside a transaction needs a name', async (t) => {
  t.match(complaints(marked('create index concurrently on t (b)')), [/^x\.sql, statement 1, CREATE INDEX CONCURRENTLY: has no name/])
})

t.test('60: refuses a file once for each reason, with all its statements, and names CONCURRENTLY', async (t) => {
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

t.test('60: refuses a file before the files before it run', async (t) => {
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

t.test('60: a COMMIT that the check cannot see is refused by PostgreSQL, with the fix', async (t) => {
  const { tables, ...options } = await build(t, [{ ...posts, sql: 'do $$ begin commit; end $$' }])

  await t.rejects(runMigrations(options), {
    code: 'DB_MIGRATION_FAILED', message: /add the line -- data-access: no-transaction/, context: { sqlState: '2D000' }
  })
})
