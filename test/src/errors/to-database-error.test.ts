import net from 'node:net'
import { DrizzleQueryError } from 'drizzle-orm'
import pg from 'pg'
import t from 'tap'
import * as errors from '../../../src/errors/errors.js'
import { isConnectionLost, toDatabaseError } from '../../../src/errors/to-database-error.js'
import { createTestDatabase } from '../../../src/testing/index.js'

const { ConnectionError, DatabaseError, NotFoundError, UniqueViolationError } = errors

/** An error as pg makes it. */
function postgresError (code: string, fields: object = {}): Error {
  return Object.assign(new pg.DatabaseError('what PostgreSQL says', 1, 'error'), { severity: 'ERROR', code }, fields)
}

/** Where the class alone says too little. */
const messages: Readonly<Record<string, string>> = { '42P01': 'A table does not exist in the database: run your migrations' }

const table: ReadonlyArray<[string, keyof typeof errors]> = [
  ['22001', 'ValidationError'], ['22003', 'ValidationError'], ['22007', 'ValidationError'], ['22008', 'ValidationError'],
  ['22009', 'ValidationError'], ['22015', 'ValidationError'],
  ['22021', 'ValidationError'], ['22P02', 'ValidationError'], ['22P05', 'ValidationError'], ['428C9', 'ValidationError'],
  ['23502', 'NotNullViolationError'], ['23503', 'ForeignKeyViolationError'], ['23505', 'UniqueViolationError'],
  ['23514', 'CheckViolationError'], ['44000', 'CheckViolationError'], ['23P01', 'ExclusionViolationError'],
  ['25P02', 'TransactionAbortedError'],
  ['25P03', 'TransactionTimeoutError'], ['25P04', 'TransactionTimeoutError'], ['57P05', 'TransactionTimeoutError'],
  ['40001', 'SerializationFailureError'], ['40P01', 'DeadlockError'], ['40003', 'CommitUnknownError'],
  ['55P03', 'LockTimeoutError'], ['57014', 'StatementTimeoutError'],
  ['08006', 'ConnectionError'], ['08P01', 'ConnectionError'], ['28000', 'ConnectionError'], ['28P01', 'ConnectionError'],
  ['53100', 'ConnectionError'], ['53300', 'ConnectionError'], ['57P01', 'ConnectionError'], ['57P02', 'ConnectionError'],
  ['57P03', 'ConnectionError'], ['57P04', 'ConnectionError'], ['3D000', 'ConnectionError'], ['25006', 'ConnectionError'],
  ['22012', 'DatabaseError'], ['42601', 'DatabaseError'], ['42P01', 'DatabaseError'], ['P0001', 'DatabaseError'],
  ['40000', 'DatabaseError'], ['XX000', 'DatabaseError'], ['ABCDE', 'DatabaseError']
]

t.test('each SQLSTATE has its class, and its own text reaches no client', async (t) => {
  for (const [code, name] of table) {
    const error = toDatabaseError(postgresError(code))
    t.equal(error.constructor, errors[name], `${code} is a ${name}`)
    t.equal(error.message, messages[code] ?? errors[name].defaults.message, `${code} has the message of its class`)
    t.match(error.cause, { code })
    t.match(error.context, { sqlState: code })
  }
})

t.test('a SQLSTATE that says too little is read with the routine that raised it', async (t) => {
  t.equal(toDatabaseError(postgresError('42501', { routine: 'ExecWithCheckOptions' })).constructor, errors.PolicyViolationError)
  t.equal(toDatabaseError(postgresError('42501', { routine: 'aclcheck_error' })).constructor, DatabaseError)
  t.equal(toDatabaseError(postgresError('0A000', { routine: 'RewriteQuery' })).constructor, errors.NotStoredError)
  t.equal(toDatabaseError(postgresError('21000', { routine: 'ExecSetParamPlan' })).constructor, errors.MultipleResultsError)
  t.equal(toDatabaseError(postgresError('0A000')).constructor, DatabaseError)
})

t.test('a standby\'s refusal is the caller\'s mistake in a read-only session, else a failover', async (t) => {
  t.equal(toDatabaseError(postgresError('25006'), { readOnly: true }).constructor, errors.ReadOnlyError)
  t.equal(toDatabaseError(postgresError('25006'), { readOnly: false }).constructor, ConnectionError)
  const notSerializable = postgresError('0A000', { routine: 'call_enum_check_hook' })
  t.equal(toDatabaseError(notSerializable, { readOnly: true }).constructor, DatabaseError)
  t.equal(toDatabaseError(notSerializable).constructor, ConnectionError)
})

t.test('55P03 of a statement with NOWAIT is a conflict', async (t) => {
  t.equal(toDatabaseError(postgresError('55P03'), { nowait: true }).statusCode, 409)
  t.equal(toDatabaseError(postgresError('55P03')).statusCode, 503)
})

t.test("tells the names of the schema and of the caller's statement, and nothing else", async (t) => {
  const cause = postgresError('23502', { schema: 'public', table: 'users', column: 'email', routine: 'ExecConstraints', detail: 'Failing row contains (7).' })
  t.strictSame(toDatabaseError(cause, { context: { operation: 'create', columns: ['email'] } }).context, {
    sqlState: '23502', table: 'users', column: 'email', routine: 'ExecConstraints', operation: 'create', columns: ['email']
  })
  t.equal(toDatabaseError(cause, { context: { table: 'people' } }).context.table, 'people', 'the table of the statement wins')
})

t.test('a constraint that has words of its own speaks them', async (t) => {
  const cause = postgresError('23505', { constraint: 'users_email_key' })
  const constraints = { users_email_key: { status: 422, code: 'EMAIL_TAKEN', message: 'This e-mail is taken' } }

  const error = toDatabaseError(cause, { constraints })
  t.ok(error instanceof UniqueViolationError)
  t.match(error, { statusCode: 422, code: 'EMAIL_TAKEN', message: 'This e-mail is taken' })

  const partly = toDatabaseError(cause, { constraints: { users_email_key: { message: 'Taken' } } })
  t.match(partly, { statusCode: 409, code: 'DB_UNIQUE_VIOLATION', message: 'Taken' }, 'what is left out stays as it was')

  t.equal(toDatabaseError(cause, { constraints: {} }).code, 'DB_UNIQUE_VIOLATION')
  t.equal(toDatabaseError(cause, { constraints: Object.create(constraints) }).code, 'DB_UNIQUE_VIOLATION', 'words of its own, not inherited ones')
  t.equal(toDatabaseError(postgresError('23505'), { constraints }).code, 'DB_UNIQUE_VIOLATION', 'no constraint named')
})

t.test('an error of ours comes back as it is, out of the wrapper of Drizzle too', async (t) => {
  const error = new NotFoundError()
  t.equal(toDatabaseError(error), error)
  t.equal(toDatabaseError(new DrizzleQueryError('select $1', ['ada'], error)), error)
})

t.test('takes off the wrapper of Drizzle, which holds the SQL and its values', async (t) => {
  const error = toDatabaseError(new DrizzleQueryError('insert $1', ['ada'], postgresError('23505')))
  t.ok(error instanceof UniqueViolationError)
  t.match(error.cause, { code: '23505' })

  const bare = toDatabaseError(new DrizzleQueryError('insert $1', ['ada']))
  t.equal(bare.constructor, DatabaseError)
  t.notOk('cause' in bare)
})

t.test('a value that JavaScript cannot convert is a bad request, not a lost connection', async (t) => {
  const circular: { self?: object } = {}
  circular.self = circular
  for (const convert of [() => JSON.stringify(circular), () => JSON.stringify(1n), () => new Date(NaN).toISOString()]) {
    try {
      convert()
      t.fail('it does not convert')
    } catch (error) {
      t.equal(toDatabaseError(error).code, 'DB_VALIDATION')
      t.notOk(isConnectionLost(error))
    }
  }
})

t.test('a failure that nothing is known of is a DatabaseError with its cause', async (t) => {
  class Odd extends Error {}
  const odd = new Odd('odd')
  t.equal(toDatabaseError(odd).constructor, DatabaseError)
  t.equal(toDatabaseError(odd).cause, odd)
  t.equal(toDatabaseError('thrown text').cause, 'thrown text')
  t.equal(toDatabaseError(new SyntaxError('Unexpected token')).constructor, DatabaseError)
  t.notOk(isConnectionLost(odd))
  t.notOk(isConnectionLost('thrown text'))
})

t.test('recognizes every way to lose a connection', async (t) => {
  const lost: Record<string, Error> = {
    'a socket': Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read', errno: -104 }),
    'a socket whose error has a class of its own': Object.assign(new (class extends Error {})(), { code: 'ENOTFOUND', syscall: 'getaddrinfo' }),
    'a write to a closed pipe': Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }),
    'every address of a host': Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
    'a closed stream': Object.assign(new (class extends Error {})(), { code: 'ERR_STREAM_DESTROYED' }),
    'a certificate': Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
    'pg, without any code': new Error('Connection terminated unexpectedly'),
    'pg, that cannot read what arrived': new pg.DatabaseError('received invalid response: 58', 1, 'error')
  }
  for (const [what, error] of Object.entries(lost)) {
    t.ok(isConnectionLost(error), what)
    t.equal(toDatabaseError(error).constructor, ConnectionError, what)
    t.ok(isConnectionLost(toDatabaseError(error)), `${what}, wrapped`)
  }
})

t.test('an answer of PostgreSQL ends the connection when it is fatal', async (t) => {
  t.ok(isConnectionLost(postgresError('28P01', { severity: 'FATAL' })))
  t.ok(isConnectionLost(postgresError('XX000', { severity: 'PANIC' })))
  t.ok(isConnectionLost(postgresError('57P01', { severity: 'ВАЖНО' })), 'in whatever language the server speaks')
  t.ok(isConnectionLost(toDatabaseError(postgresError('25P03', { severity: 'FATAL' }))), 'wrapped')
  t.notOk(isConnectionLost(postgresError('23505')))
  t.notOk(isConnectionLost(postgresError('53200')), 'out of memory: the next statement may fit')
  t.notOk(isConnectionLost(toDatabaseError(postgresError('08001'))), 'a foreign server is away, not this one')
  t.notOk(isConnectionLost(new NotFoundError()))
})

t.test('the caller may override whether the socket is lost', async (t) => {
  t.equal(toDatabaseError(new TypeError('late'), { connectionLost: true }).constructor, ConnectionError)
  t.equal(toDatabaseError(new Error('circular reference detected'), { connectionLost: false }).constructor, DatabaseError)
  t.equal(toDatabaseError(postgresError('25P03'), { connectionLost: true }).constructor, errors.TransactionTimeoutError, 'a SQLSTATE says more')
})

t.test('real failures of PostgreSQL', async (t) => {
  const { connectionString } = await createTestDatabase(t, {
    sql: `create table users (
            id int primary key generated always as identity, email varchar(20) not null unique, age int check (age > 0),
            boss int references users, born date, more jsonb);
          insert into users (email) values ('ada@x')`
  })
  const client = new pg.Client(connectionString)
  await client.connect()
  t.after(() => client.end())

  const failures: ReadonlyArray<[string, unknown[], keyof typeof errors]> = [
    ['insert into users (email) values ($1)', ['ada@x'], 'UniqueViolationError'],
    ['insert into users (email) values ($1)', [null], 'NotNullViolationError'],
    ['insert into users (email, boss) values ($1, 99)', ['bob@x'], 'ForeignKeyViolationError'],
    ['insert into users (email, age) values ($1, -1)', ['bob@x'], 'CheckViolationError'],
    ['insert into users (email) values ($1)', ['a'.repeat(21)], 'ValidationError'],
    ['insert into users (email) values ($1)', ['nul \0'], 'ValidationError'],
    ['insert into users (more) values ($1)', ['{"nul":"\\u0000"}'], 'ValidationError'],
    ['insert into users (id, email) values (1, $1)', ['bob@x'], 'ValidationError'],
    ['select * from users where id = $1', ['one'], 'ValidationError'],
    ['select * from users where id = $1', ['2147483648'], 'ValidationError'],
    ['select * from users where born = $1', ['2026-02-30'], 'ValidationError'],
    ['select * from users where born = $1', ['yesteryear'], 'ValidationError'],
    ['select 1 / 0', [], 'DatabaseError']
  ]
  for (const [text, values, name] of failures) {
    const failure = await client.query(text, values).catch((error: unknown) => error)
    t.equal(toDatabaseError(failure).constructor, errors[name], `${text} ${name}`)
    t.notOk(isConnectionLost(failure))
  }

  await client.query("set statement_timeout = '10ms'")
  const late = await client.query('select pg_sleep(5)').catch((error: unknown) => error)
  t.equal(toDatabaseError(late).constructor, errors.StatementTimeoutError)
})

t.test('a terminated backend is a lost connection, for every later statement as well', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const client = new pg.Client(connectionString)
  client.on('error', () => {})
  await client.connect()

  const killed = await client.query('select pg_terminate_backend(pg_backend_pid())').catch((error: unknown) => error)
  t.equal(toDatabaseError(killed).constructor, ConnectionError)
  t.ok(isConnectionLost(killed))
  const after = await client.query('select 1').catch((error: unknown) => error)
  t.equal(toDatabaseError(after).constructor, ConnectionError)
  t.ok(isConnectionLost(after))
})

t.test('a server that is not there, or is no PostgreSQL, is a connection error', async (t) => {
  const failures = [
    await connect({ host: 'no-such-host.invalid' }),
    await withServer('HTTP/1.1 400 Bad Request\r\n\r\n', connect),
    await withServer('X\0\0\0\x05!', connect),
    await connect(await withServer('', async (address) => address))
  ]

  for (const failure of failures) {
    t.ok(failure instanceof Error)
    t.equal(toDatabaseError(failure).constructor, ConnectionError)
    t.ok(isConnectionLost(failure))
  }
})

/** Runs `fn` with the address of a server that says one thing to everybody and hangs up. */
async function withServer<Result> (greeting: string, fn: (address: pg.ClientConfig) => Promise<Result>): Promise<Result> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {}).resume().end(greeting)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    return await fn({ host: '127.0.0.1', port: (server.address() as net.AddressInfo).port })
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

/** The failure of a connection that must fail. */
async function connect (config: pg.ClientConfig): Promise<unknown> {
  const client = new pg.Client({ user: 'postgres', database: 'postgres', ssl: false, ...config })
  client.on('error', () => {})
  return client.connect().then(() => undefined, (error: unknown) => error)
}
