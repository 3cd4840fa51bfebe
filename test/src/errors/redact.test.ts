import { Writable } from 'node:stream'
import { inspect } from 'node:util'
import { DrizzleQueryError } from 'drizzle-orm'
import pg from 'pg'
import pino from 'pino'
import t from 'tap'
import { CommitUnknownError, ValidationError } from '../../../src/errors/errors.js'
import { toDatabaseError } from '../../../src/errors/to-database-error.js'
import { createTestDatabase } from '../../../src/testing/index.js'

/** What a real pino logger, and someone who prints, show of an error. */
function printed (err: unknown): string {
  const lines: string[] = []
  const stream = new Writable({ write (line, _encoding, done) { lines.push(String(line)); done() } })
  pino({ serializers: { failure: pino.stdSerializers.errWithCause } }, stream).error({ err, failure: err }, 'failed')
  return lines.join('') + inspect(err, { depth: 10 })
}

t.test("a log line of PostgreSQL's refusals has their names and code, and no value", async (t) => {
  const { connectionString } = await createTestDatabase(t, {
    sql: `create table users (id int primary key, email text not null unique, age int check (age > 0), more jsonb);
          insert into users values (1, 'secret@x');
          create function refuse (text) returns void language plpgsql as
            $$ begin raise exception 'I do not like %', $1 using errcode = '23514', hint = $1; end $$`
  })
  const client = new pg.Client(connectionString)
  await client.connect()
  t.after(() => client.end())

  const failures: ReadonlyArray<[string, string, unknown[]]> = [
    ['23505', 'insert into users (id, email) values (2, $1)', ['secret@x']],
    ['23502', 'insert into users (id, more) values (2, $1)', ['"secret"']],
    ['23514', 'insert into users (id, email, age) values (2, $1, -1)', ['secret2@x']],
    ['23514', 'select refuse($1)', ['secret']],
    ['22P02', 'select $1::int', ['secret']],
    ['22P02', 'select $1::jsonb', ['{"a": secret}']],
    ['42601', "select * from users where 'secret' 'secret'", []]
  ]
  for (const [code, text, values] of failures) {
    const failure = await client.query(text, values).catch((error: unknown) => error)
    const error = toDatabaseError(new DrizzleQueryError(text, values, failure as Error), { context: { operation: 'create', table: 'users' } })
    const line = printed(error)
    t.notMatch(line, 'secret', `${code} of ${text.slice(0, 20)}`)
    t.match(line, `"sqlState":"${code}"`)
    t.match(line, '"operation":"create"')
    t.match(line, '"routine":')
    t.match(error.cause, { code, original: failure }, 'what happened is there for whoever asks')
    t.ok(error.cause instanceof pg.DatabaseError)
  }
})

t.test('the constraint and the text of PostgreSQL that names it are printed, its detail can be read', async (t) => {
  const failure = Object.assign(new pg.DatabaseError('duplicate key value violates unique constraint "users_email_key"', 1, 'error'), {
    severity: 'ERROR', code: '23505', constraint: 'users_email_key', detail: 'Key (email)=(secret@x) already exists.', where: 'secret', internalQuery: 'secret'
  })
  const error = toDatabaseError(failure)

  t.match(printed(error), /duplicate key value violates unique constraint.+"constraint":"users_email_key"/s)
  t.notMatch(printed(error), 'secret')
  t.match(error.cause, { detail: 'Key (email)=(secret@x) already exists.', constraint: 'users_email_key', message: failure.message })
})

t.test('an error made by hand is as silent as one that was looked up', async (t) => {
  const failure = Object.assign(new pg.DatabaseError('invalid input syntax: "secret"', 1, 'error'), { severity: 'ERROR', code: '22P02' })
  const error = new CommitUnknownError(undefined, { cause: failure })
  t.notMatch(printed(error), 'secret')
  t.match(error.cause, { code: '22P02', message: /^SQLSTATE 22P02 / })

  const again = new ValidationError(undefined, { cause: error.cause })
  t.equal(again.cause, error.cause, 'and stays so when it is passed on')
})

t.test('a conversion that failed does not quote what it was given, and tells where it failed', async (t) => {
  for (const convert of [() => BigInt('secret'), () => JSON.parse('secret'), () => BigInt(0.5)]) {
    try {
      convert()
      t.fail('it does not convert')
    } catch (failure) {
      const error = toDatabaseError(failure)
      t.notMatch(printed(error), /secret|0\.5 cannot/)
      t.match(printed(error), 'without-values.test')
      t.match(error.cause, { original: failure })
      t.equal((error.cause as Error).constructor, (failure as Error).constructor)
    }
  }
})

t.test('a stack that does not hold the message is left out, because it may hold another', async (t) => {
  const failure = Object.assign(new RangeError('first'), { stack: 'RangeError: secret\n    at somewhere' })
  t.notMatch(printed(new ValidationError(undefined, { cause: failure })), 'secret')
})
