import { Writable } from 'node:stream'
import { inspect } from 'node:util'
import t from 'tap'
import { DrizzleQueryError } from 'drizzle-orm'
import pg from 'pg'
import pino from 'pino'
import {
  ConnectionError, DatabaseError, NotFoundError, UniqueViolationError, CommitUnknownError, ValidationError
} from '../../../src/errors/errors.js'
import { failure, problem, statusOf, success } from '../../../src/errors/http-replies.js'
import { toDatabaseError } from '../../../src/errors/to-database-error.js'
import { createTestDatabase } from '../../../src/testing/index.js'

/** An error of Fastify's validation, as its own compiler makes it. */
const invalid = Object.assign(new Error('body/email must match format "email"'), {
  statusCode: 400,
  code: 'FST_ERR_VALIDATION',
  validationContext: 'body',
  validation: [{ keyword: 'format', instancePath: '/email', schemaPath: '#/properties/email/format', params: {}, message: 'must match format "email"' }]
})

t.test('success wraps the data, with a message and meta where they are given', async (t) => {
  t.strictSame(success({ id: 1 }), { success: true, data: { id: 1 } })
  t.strictSame(success([], { message: 'None yet', meta: { total: 0 } }), { success: true, data: [], message: 'None yet', meta: { total: 0 } })
  t.strictSame(success(null), { success: true, data: null })
})

t.test('failure shows code and message of our errors, with any status', async (t) => {
  t.strictSame(failure(new NotFoundError('User not found')), { success: false, error: { code: 'DB_NOT_FOUND', message: 'User not found' } })
  t.strictSame(failure(new ConnectionError(), { requestId: 'req-1' }), {
    success: false, error: { code: 'DB_CONNECTION', message: new ConnectionError().message }, requestId: 'req-1'
  })
})

t.test('failure and problem show neither cause nor context', async (t) => {
  const error = new UniqueViolationError(undefined, {
    cause: Object.assign(new Error('secret'), { code: '23505', detail: 'secret' }), context: { table: 'secret', constraint: 'secret' }
  })
  t.notMatch(JSON.stringify([failure(error), problem(error)]), 'secret')
})

t.test('an error of someone else keeps its words below 500', async (t) => {
  const error = Object.assign(new Error('Log in first'), { statusCode: 401, code: 'NO_LOGIN' })
  t.strictSame(failure(error), { success: false, error: { code: 'NO_LOGIN', message: 'Log in first' } })
  t.strictSame(failure(Object.assign(new Error('Log in first'), { status: 401 })).error, { code: 'UNAUTHORIZED', message: 'Log in first' })
  t.strictSame(failure(Object.assign(new Error('Short and stout'), { statusCode: 418 })).error.code, 'I_M_A_TEAPOT')
  t.strictSame(failure({ statusCode: 404 }).error, { code: 'NOT_FOUND', message: 'Not Found' }, 'one without a message gets the words of its status')
})

t.test('an error of someone else says nothing of itself from 500 on', async (t) => {
  const generic = { code: 'INTERNAL_SERVER_ERROR', message: 'Internal Server Error' }
  t.strictSame(failure(Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' })).error, generic)
  t.strictSame(failure('secret').error, generic)
  t.strictSame(failure(null).error, generic)
  t.strictSame(failure(undefined).error, generic)
  t.strictSame(failure(Object.assign(new Error('upstream 10.0.0.7'), { statusCode: 502 })).error, { code: 'BAD_GATEWAY', message: 'Bad Gateway' })
  t.strictSame(failure(Object.assign(new Error('secret'), { statusCode: 599 })).error, { code: 'UNKNOWN_ERROR', message: 'Unknown Error' })
})

t.test('failure lists the violations of a validation', async (t) => {
  t.strictSame(failure(invalid).error, {
    code: 'FST_ERR_VALIDATION',
    message: 'body/email must match format "email"',
    details: [{ in: 'body', path: '/email', message: 'must match format "email"' }]
  })
  const sparse = Object.assign(new Error('bad'), { statusCode: 400, validation: [{}, 'odd'] })
  t.strictSame(failure(sparse).error.details, [{}, {}], 'as far as the validator tells')
})

t.test('problem follows RFC 9457', async (t) => {
  t.strictSame(problem(new NotFoundError('User not found'), { requestId: 'req-1', instance: '/users/7' }), {
    type: 'about:blank',
    title: 'Not Found',
    status: 404,
    detail: 'User not found',
    instance: '/users/7',
    code: 'DB_NOT_FOUND',
    requestId: 'req-1'
  })
  t.strictSame(problem(invalid), {
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    detail: 'body/email must match format "email"',
    code: 'FST_ERR_VALIDATION',
    details: [{ in: 'body', path: '/email', message: 'must match format "email"' }]
  })
})

t.test('the status is that of the error, or else the one given, or 500', async (t) => {
  t.equal(statusOf(new NotFoundError()), 404)
  t.equal(statusOf(new DatabaseError()), 500)
  t.equal(statusOf({ status: 403 }), 403)
  t.equal(statusOf({ statusCode: 200, status: 99 }), 500)
  t.equal(statusOf({ statusCode: '404' }, 410), 410)
  t.equal(problem(new Error('gone'), { statusCode: 410 }).status, 410)
  t.equal(failure(new Error('gone'), { statusCode: 410 }).error.message, 'gone')
})

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

t.test('an error made by hand hides as much as one that was looked up', async (t) => {
  const failure = Object.assign(new pg.DatabaseError('invalid input syntax: "secret"', 1, 'error'), { severity: 'ERROR', code: '22P02' })
  const error = new CommitUnknownError(undefined, { cause: failure })
  t.notMatch(printed(error), 'secret')
  t.match(error.cause, { code: '22P02', message: /^SQLSTATE 22P02 / })

  const again = new ValidationError(undefined, { cause: error.cause })
  t.equal(again.cause, error.cause, 'and stays so when it is passed on')
})

t.test('a failed conversion names its place, and does not quote its input', async (t) => {
  for (const convert of [() => BigInt('secret'), () => JSON.parse('secret'), () => BigInt(0.5)]) {
    try {
      convert()
      t.fail('it does not convert')
    } catch (failure) {
      const error = toDatabaseError(failure)
      t.notMatch(printed(error), /secret|0\.5 cannot/)
      t.match(printed(error), 'http-replies.test')
      t.match(error.cause, { original: failure })
      t.equal((error.cause as Error).constructor, (failure as Error).constructor)
    }
  }
})

t.test('a stack that does not hold the message is left out, because it may hold another', async (t) => {
  const failure = Object.assign(new RangeError('first'), { stack: 'RangeError: secret\n    at somewhere' })
  t.notMatch(printed(new ValidationError(undefined, { cause: failure })), 'secret')
})
