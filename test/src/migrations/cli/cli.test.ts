import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { readConfig, readSchema, tableOf, urlOf } from '../../../../src/migrations/cli/drizzle-config.js'
import { findFiles } from '../../../../src/migrations/cli/find-files.js'
import { MigrationError } from '../../../../src/errors/errors.js'
import { failureOf, textOf } from '../../../../src/migrations/cli/failure.js'
import { runCommand } from '../../../../src/migrations/cli/command.js'
import { createTestDatabase } from '../../../../src/testing/index.js'

t.test('reads a configuration however it is exported', async (t) => {
  const folder = t.testdir({
    'named.mjs': "export const dialect = 'postgresql'\nexport const out = 'a'",
    'common.cjs': "module.exports = { dialect: 'postgresql', out: 'b' }",
    'compiled.cjs': "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = { dialect: 'postgresql', out: 'c' }",
    'nothing.mjs': 'export default null'
  })

  t.match(await readConfig('named.mjs', folder), { out: 'a' })
  t.match(await readConfig('common.cjs', folder), { out: 'b' })
  t.match(await readConfig('compiled.cjs', folder), { out: 'c' })
  await t.rejects(readConfig('nothing.mjs', folder), { name: 'UsageError', message: /not for PostgreSQL/ })
  t.strictSame(await readConfig(undefined, folder), {})
})

t.test('reads the schemas of several files, CommonJS among them', async (t) => {
  const folder = t.testdir({ 'a.cjs': 'exports.one = Symbol.for("one")', 'b.mjs': 'export const two = Symbol.for("two")' })

  const schema = await readSchema({ schema: ['./*.cjs', './b.mjs'] }, folder)
  t.strictSame(new Set(Object.values(schema ?? {})), new Set([Symbol.for('one'), Symbol.for('two')]))
  t.equal(await readSchema({}, folder), undefined)
})

t.test('builds a URL from the parts of a database', async (t) => {
  const parts = { host: 'db', database: 'a b' }
  t.equal(urlOf({}), undefined)
  t.equal(urlOf({ dbCredentials: {} }), undefined)
  t.equal(urlOf({ dbCredentials: { host: 'db' } }), undefined)
  t.equal(urlOf({ dbCredentials: { url: 'postgresql://db/a' } }), 'postgresql://db/a')
  t.equal(urlOf({ dbCredentials: parts }), 'postgresql://db/a%20b')
  t.equal(urlOf({ dbCredentials: { ...parts, user: 'a@b', ssl: true } }), 'postgresql://a%40b@db/a%20b?sslmode=require')
  t.equal(
    urlOf({ dbCredentials: { ...parts, user: 'a', password: 'p/w', port: 1, ssl: 'verify-full' } }),
    'postgresql://a:p%2Fw@db:1/a%20b?sslmode=verify-full'
  )
  t.equal(tableOf({}), 'drizzle.__drizzle_migrations')
})

t.test('finds files as drizzle-kit does', async (t) => {
  const root = t.testdir({
    a: { 'one.ts': '', 'two.js': '', 'notes.md': '', b: { 'three.ts': '', 'four.tsx': '' }, node_modules: { 'five.ts': '' } }, 'six.mts': ''
  })
  const found = (pattern: string) => findFiles(join(root, pattern)).map((file) => file.slice(root.length + 1))

  t.strictSame(found('a/one.ts'), ['a/one.ts'])
  t.strictSame(found('a'), ['a/one.ts', 'a/two.js'])
  t.strictSame(found('a/*.ts'), ['a/one.ts'])
  t.strictSame(found('**/*.ts'), ['a/b/three.ts', 'a/one.ts'])
  t.strictSame(found('a/**'), ['a/b/three.ts', 'a/one.ts', 'a/two.js'])
  t.strictSame(found('a/{one,two}.?s'), ['a/one.ts', 'a/two.js'])
  t.strictSame(found('nothing.ts'), [])
  t.strictSame(found('nowhere/*.ts'), [])
  t.strictSame(found('a/one.ts/*.ts'), [])
})

t.test('TypeScript without a loader is refused with the fix, and other errors pass unchanged', async (t) => {
  // Outside the project there is no loader.
  const folder = mkdtempSync(join(tmpdir(), 'config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'old.ts'), "throw Object.assign(new Error('unknown'), { code: 'ERR_UNKNOWN_FILE_EXTENSION' })")
  writeFileSync(join(folder, 'broken.ts'), "throw new Error('broken')")

  await t.rejects(readConfig('old.ts', folder), { name: 'UsageError', message: /install tsx/ })
  await t.rejects(readConfig('broken.ts', folder), { message: 'broken' })
})

t.test('files of a schema share their modules, whatever they import and in any order', async (t) => {
  const pg = "import { pgTable, pgEnum, integer, text, index } from 'drizzle-orm/pg-core'\n"
  const barrel = {
    'boat.ts': `${pg}import { crew } from './crew'\nexport const boat = pgTable('boat', { id: integer(), captain: integer().references(() => crew.id) })`,
    'crew.ts': `${pg}export const crew = pgTable('crew', { id: integer(), name: text() }, (t) => [index('crew_name').on(t.name)])`,
    'index.ts': "export * from './boat'\nexport * from './crew'"
  }
  const circle = (first: string, second: string) => ({
    [`${first}.ts`]: `${pg}import { boat } from './${second}'\nexport const rank = pgEnum('rank', ['a'])\nexport const crew = pgTable('crew', { id: integer().references(() => boat.id) })`,
    [`${second}.ts`]: `${pg}import { crew, rank } from './${first}'\nexport const boat = pgTable('boat', { id: integer(), rank: rank(), crew: integer().references(() => crew.id) })`
  })
  const cases = { barrel, ab: circle('a', 'b'), ba: circle('b', 'a') }
  const root = t.testdir({
    ...Object.fromEntries(['commonjs', 'module'].map((type) => [type, { 'package.json': JSON.stringify({ type }), ...structuredClone(cases) }])),
    waits: {
      'package.json': '{"type":"module"}',
      'a.ts': "import { two } from './b'\nexport const one = await Promise.resolve(two)",
      'b.ts': 'export const two = Symbol.for("two")'
    },
    hopeless: { 'a.ts': "import { b } from './b'\nexport const a = b", 'b.ts': "import { a } from './a'\nexport const b = a" },
    broken: { 'c.ts': 'throw new Error("mine")' }
  })
  for (const type of ['commonjs', 'module']) {
    for (const [name, count] of [['barrel', 2], ['ab', 3], ['ba', 3]] as const) {
      const schema = await readSchema({ schema: `./${name}/*.ts` }, join(root, type))
      t.equal(new Set(Object.values(schema ?? {})).size, count, `${type}: ${name}`)
    }
  }
  t.strictSame(Object.values(await readSchema({ schema: './*.ts' }, join(root, 'waits')) ?? {}), [Symbol.for('two'), Symbol.for('two')])
  await t.rejects(readSchema({ schema: './*.ts' }, join(root, 'hopeless')), { name: 'ReferenceError', message: /before initialization/ })
  await t.rejects(readSchema({ schema: './*.ts' }, join(root, 'broken')), { message: 'mine' })
})

/** Applies one file with the command, and returns its output. */
async function up (t: Test, sql: string, connectionString?: string) {
  const url = connectionString ?? (await createTestDatabase(t)).connectionString
  const cwd = t.testdir({
    drizzle: {
      '0000_a.sql': sql, meta: { '_journal.json': JSON.stringify({ entries: [{ idx: 0, tag: '0000_a', when: 1, version: '7', breakpoints: true }] }) }
    }
  })
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const code = await runCommand(['migrate', 'up', '--json'], { cwd, env: { DATABASE_URL: url }, stdin, stdout, stderr, signal: new AbortController().signal })
  return { code, ...JSON.parse(String(stdout.read())), err: String(stderr.read()) }
}

t.test('a refused statement is shown with PostgreSQL\'s error and its position, also in JSON', async (t) => {
  const sql = 'create table a (id int);\n--> statement-breakpoint\ncreate table b (\n\tid int,\n\t"ä😀" nosuch\n);'
  const { code, err, error } = await up(t, sql)
  t.equal(code, 1)
  t.match(error, {
    code: 'DB_MIGRATION_FAILED',
    message: /^0000_a\.sql failed at statement 2 of 2/,
    statement: 'create table b (\n\tid int,\n\t"ä😀" nosuch\n);',
    cause: { message: 'type "nosuch" does not exist', code: '42704', position: 33, line: 3, column: 7 }
  })
  t.match(
    err,
    '  type "nosuch" does not exist (line 3, column 7 of the statement)\n    create table b (\n    \tid int,\n    \t"ä😀" nosuch\n    \t      ^\n    );'
  )
})

t.test('shows what a log leaves out: syntax errors, RAISE, details and hints', async (t) => {
  t.match((await up(t, "insert nto a values ('s3cret')")).error.cause, { message: 'syntax error at or near "nto"', position: 8 })
  t.match((await up(t, "do $$ begin raise 'no %', 5 using detail = 'a detail', hint = 'a hint'; end $$")), {
    error: {
      cause: { message: 'no 5', code: 'P0001', detail: 'a detail', hint: 'a hint', where: /PL\/pgSQL/ }
    },
    err: /\n {2}no 5\n {2}a detail\n {2}a hint\n {2}PL\/pgSQL.*\n {4}do \$\$/
  })
  t.match((await up(t, '-- data-access: no-transaction\nselect 1; select 1 / 0')).error, { statement: 'select 1 / 0', cause: { message: 'division by zero' } })
  t.match((await up(t, '-- data-access: no-transaction\nbegin; select nosuch')).error, { statement: 'select nosuch', cause: { code: '42703', position: 8 } })
  const deferred = await up(t, 'create table a (id int primary key, next int references a deferrable initially deferred); insert into a values (1, 2)')
  t.match(deferred.error.cause, { code: '23503', detail: /is not present/ })
  t.notOk('statement' in deferred.error, 'no single statement failed at COMMIT')
})

t.test('a long statement is shown around the position that PostgreSQL names', async (t) => {
  const { err } = await up(t, `select\n${Array.from({ length: 30 }, (_, index) => index === 19 ? 'nosuch' : `${index}`).join(',\n')}`)
  t.match(err, /\n {4}14,\n {4}15,\n {4}16,\n {4}17,\n {4}18,\n {4}nosuch,\n {4}\^\n {4}20,/)
  t.notMatch(err, '13,')
})

t.test('shows why the database does not answer, without the password', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const wrong = new URL(connectionString)
  Object.assign(wrong, { username: 'nobody', password: 's3cret' })
  const noDatabase = new URL(connectionString)
  noDatabase.pathname = '/nosuch'
  const cases: ReadonlyArray<readonly [string, RegExp]> = [
    [wrong.href, /nobody/], [noDatabase.href, /database "nosuch" does not exist/], [
      'postgresql://ada:s3cret@127.0.0.1:1/db',
      /connect ECONNREFUSED 127\.0\.0\.1:1/
    ],
    ['postgresql://ada:s3cret@no.such.host.invalid/db', /no\.such\.host\.invalid/]
  ]
  for (const [url, words] of cases) {
    const { code, err, error } = await up(t, 'select 1', url)
    t.match({ code, error, err }, { code: 1, error: { code: 'DB_CONNECTION', cause: { message: words } }, err: words })
    t.notMatch(err + JSON.stringify(error), 's3cret')
  }
})

t.test('shows an error for each address, and no cause for other errors', async (t) => {
  const cause = new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED 127.0.0.1:1')], '')
  const failure = failureOf(new MigrationError('Not done', 'DB_MIGRATION_FAILED', { cause }))
  t.strictSame(failure, {
    code: 'DB_MIGRATION_FAILED', message: 'Not done', cause: { message: 'connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1' }
  })
  t.equal(textOf(failureOf(new Error('odd', { cause }))), 'odd')
})
