import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { MigrationError } from '../../../../src/errors/errors.js'
import { failureOf, textOf } from '../../../../src/migrations/cli/failure.js'
import { runCommand } from '../../../../src/migrations/cli/command.js'
import { createTestDatabase } from '../../../../src/testing/index.js'

/** Applies one file by the command, and gives what it wrote. */
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

t.test('a statement that PostgreSQL refuses is shown with its words and the place, in JSON too', async (t) => {
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

t.test('what a log would leave out is told to who wrote the file: syntax errors, RAISE, details and hints', async (t) => {
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
  t.notOk('statement' in deferred.error, 'at COMMIT none of them has failed')
})

t.test('a long statement is shown around the place that PostgreSQL names', async (t) => {
  const { err } = await up(t, `select\n${Array.from({ length: 30 }, (_, index) => index === 19 ? 'nosuch' : `${index}`).join(',\n')}`)
  t.match(err, /\n {4}14,\n {4}15,\n {4}16,\n {4}17,\n {4}18,\n {4}nosuch,\n {4}\^\n {4}20,/)
  t.notMatch(err, '13,')
})

t.test('why the database does not answer is told in the words of the server or the network, without the password', async (t) => {
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

t.test('several addresses each have their words, and what is no failure of the database has only its own', async (t) => {
  const cause = new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED 127.0.0.1:1')], '')
  const failure = failureOf(new MigrationError('Not done', 'DB_MIGRATION_FAILED', { cause }))
  t.strictSame(failure, {
    code: 'DB_MIGRATION_FAILED', message: 'Not done', cause: { message: 'connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1' }
  })
  t.equal(textOf(failureOf(new Error('odd', { cause }))), 'odd')
})
