import Fastify from 'fastify'
import t from 'tap'
import * as errors from '../../../src/errors/errors.js'

const { DatabaseError, LockTimeoutError, MigrationError, NotFoundError, PoolTimeoutError, UniqueViolationError } = errors

const contract: ReadonlyArray<[keyof typeof errors, string, number, boolean]> = [
  ['DatabaseError', 'DB_ERROR', 500, false],
  ['NotFoundError', 'DB_NOT_FOUND', 404, false],
  ['MultipleResultsError', 'DB_MULTIPLE_RESULTS', 500, false],
  ['ValidationError', 'DB_VALIDATION', 400, false],
  ['NotStoredError', 'DB_NOT_STORED', 500, false],
  ['PolicyViolationError', 'DB_POLICY_VIOLATION', 403, false],
  ['UsageError', 'DB_USAGE', 500, false],
  ['EmptyFilterError', 'DB_EMPTY_FILTER', 400, false],
  ['UniqueViolationError', 'DB_UNIQUE_VIOLATION', 409, false],
  ['ForeignKeyViolationError', 'DB_FOREIGN_KEY_VIOLATION', 409, false],
  ['NotNullViolationError', 'DB_NOT_NULL_VIOLATION', 422, false],
  ['CheckViolationError', 'DB_CHECK_VIOLATION', 422, false],
  ['ExclusionViolationError', 'DB_EXCLUSION_VIOLATION', 409, false],
  ['StaleRowError', 'DB_STALE_ROW', 409, false],
  ['SerializationFailureError', 'DB_CONFLICT', 409, true],
  ['DeadlockError', 'DB_CONFLICT', 409, true],
  ['StatementTimeoutError', 'DB_TIMEOUT', 503, false],
  ['TransactionTimeoutError', 'DB_TIMEOUT', 503, false],
  ['LockTimeoutError', 'DB_LOCK_TIMEOUT', 503, false],
  ['PoolTimeoutError', 'DB_POOL_TIMEOUT', 503, true],
  ['ConnectionError', 'DB_CONNECTION', 503, true],
  ['ReadOnlyError', 'DB_READ_ONLY', 500, false],
  ['TransactionAbortedError', 'DB_TRANSACTION_ABORTED', 500, false],
  ['TransactionBrokenError', 'DB_TRANSACTION_BROKEN', 500, false],
  ['TransactionClosedError', 'DB_TRANSACTION_CLOSED', 500, false],
  ['TransactionScopeError', 'DB_TRANSACTION_SCOPE', 500, false],
  ['StatementBudgetError', 'DB_STATEMENT_BUDGET', 500, false],
  ['CommitUnknownError', 'DB_COMMIT_UNKNOWN', 500, false],
  ['PartialCommitError', 'DB_PARTIAL_COMMIT', 500, false],
  ['ContextMissingError', 'DB_CONTEXT_MISSING', 500, false]
]

t.test('every class has the code, the status and the name of the contract', async (t) => {
  for (const [name, code, statusCode, retryable] of contract) {
    const Class = errors[name] as typeof DatabaseError
    const error = new Class()
    t.match(error, { name, code, statusCode, retryable, context: {} }, name)
    t.ok(error instanceof DatabaseError && error instanceof Error, `${name} is a DatabaseError and an Error`)
    t.ok(error.message.length > 0, `${name} has a message`)
    t.ok(error.stack?.startsWith(`${name}: ${error.message}`), `${name} begins its stack`)
    t.strictSame(error.headers, retryable ? { 'retry-after': '1' } : {}, `${name} says when to come back only where that may help`)
  }
  const exported = Object.keys(errors).filter((name) => name !== 'MigrationError')
  t.strictSame(exported.sort(), contract.map(([name]) => name).sort(), 'and there is no class besides these')
})

t.test('takes a message, context, headers and the seconds to wait', async (t) => {
  const error = new PoolTimeoutError('Busy', {
    context: { operation: 'get', table: 'users', columns: ['id'] },
    headers: { 'x-queue': '9' },
    retryAfterSeconds: 2.5
  })
  t.equal(error.message, 'Busy')
  t.strictSame(error.context, { operation: 'get', table: 'users', columns: ['id'] })
  t.strictSame(error.headers, { 'x-queue': '9', 'retry-after': '3' })
})

t.test('keeps the cause out of sight of loops over its properties', async (t) => {
  const cause = new Error('deeper')
  const error = new NotFoundError(undefined, { cause })
  t.equal(error.cause, cause)
  t.notOk(Object.keys(error).includes('cause'))
  t.notOk('cause' in new NotFoundError(), 'and has none unless given')
})

t.test('a lock with NOWAIT is a conflict, a lock that was waited for is an overload', async (t) => {
  t.equal(new LockTimeoutError(undefined, { nowait: true }).statusCode, 409)
  t.equal(new LockTimeoutError(undefined, { nowait: false }).statusCode, 503)
  t.equal(new LockTimeoutError(undefined, { nowait: true, statusCode: 423 }).statusCode, 423)
})

t.test('a migration error has the code it was given', async (t) => {
  t.match(new MigrationError('0001_init.sql was edited', 'DB_MIGRATION_EDITED'), {
    name: 'MigrationError', code: 'DB_MIGRATION_EDITED', statusCode: 500, message: '0001_init.sql was edited'
  })
})

t.test('shows code and message alone when someone puts it into a payload', async (t) => {
  const error = new UniqueViolationError(undefined, { context: { constraint: 'users_email_key' }, cause: new Error('secret') })
  t.strictSame(JSON.parse(JSON.stringify({ error })), { error: { code: 'DB_UNIQUE_VIOLATION', message: error.message } })
})

t.test('a class of the user extends ours', async (t) => {
  class QuotaError extends DatabaseError {
    static override readonly defaults = { code: 'QUOTA', statusCode: 429, message: 'Too many', retryable: true }
  }
  t.match(new QuotaError(undefined, { retryAfterSeconds: 60 }), {
    name: 'QuotaError', code: 'QUOTA', statusCode: 429, message: 'Too many', headers: { 'retry-after': '60' }
  })
})

t.test("Fastify's own error handler sends it as it is", async (t) => {
  const server = Fastify()
  t.after(() => server.close())
  server.get('/', async () => { throw new PoolTimeoutError() })

  const reply = await server.inject('/')

  t.equal(reply.statusCode, 503)
  t.equal(reply.headers['retry-after'], '1')
  t.strictSame(reply.json(), {
    statusCode: 503, code: 'DB_POOL_TIMEOUT', error: 'Service Unavailable', message: new PoolTimeoutError().message
  })
})
