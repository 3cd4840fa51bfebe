import t from 'tap'
import { ConnectionError, DatabaseError, NotFoundError, UniqueViolationError } from '../../../src/errors/errors.js'
import { failure, problem, statusOf, success } from '../../../src/errors/http-replies.js'

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

t.test('failure tells the code and the message of our errors, whatever their status', async (t) => {
  t.strictSame(failure(new NotFoundError('User not found')), { success: false, error: { code: 'DB_NOT_FOUND', message: 'User not found' } })
  t.strictSame(failure(new ConnectionError(), { requestId: 'req-1' }), {
    success: false, error: { code: 'DB_CONNECTION', message: new ConnectionError().message }, requestId: 'req-1'
  })
})

t.test('failure and problem tell nothing of the cause and the context', async (t) => {
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

t.test('failure lists what the validation found', async (t) => {
  t.strictSame(failure(invalid).error, {
    code: 'FST_ERR_VALIDATION',
    message: 'body/email must match format "email"',
    details: [{ in: 'body', path: '/email', message: 'must match format "email"' }]
  })
  const sparse = Object.assign(new Error('bad'), { statusCode: 400, validation: [{}, 'odd'] })
  t.strictSame(failure(sparse).error.details, [{}, {}], 'as far as the validator tells')
})

t.test('problem is what RFC 9457 asks for', async (t) => {
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
