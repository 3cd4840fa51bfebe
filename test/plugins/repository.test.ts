import Fastify from 'fastify'
import { pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { databasePlugin, envPlugin, Repository, repositoryPlugin, transactionPlugin } from '../../plugins/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { recordLog } from '../helpers/log-stream.js'
import { schema, tables, users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'

const ada = { email: 'ada@example.com' }

class UserRepository extends Repository.of(users) {
  findByEmail (email: string) { return this.getBy({ email }) }
}

t.test('request.repo() gives a repository of a table or class in the request\'s transaction', async (t) => {
  const server = await build(t)
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    const seen = await request.repo(UserRepository).findByEmail(ada.email)
    return { seen, outside: await server.db.repo(users).count(), isOurs: request.repo(UserRepository) instanceof UserRepository }
  })

  t.match((await server.inject({ method: 'POST', url: '/' })).json(), { seen: ada, outside: 0, isOurs: true })
  t.match(await server.db.repo(UserRepository).findByEmail(ada.email), ada)
})

const keyless = pgTable('keyless', { name: text() })
const words = 'Table "keyless" has no primary key: declare one, or read it through `drizzle`'

for (const [format, body] of [
  ['fastify', { statusCode: 500, code: 'DB_USAGE', error: 'Internal Server Error', message: words }],
  ['envelope', { success: false, error: { code: 'DB_USAGE', message: words }, requestId: 'req-1' }],
  ['problem', { type: 'about:blank', title: 'Internal Server Error', status: 500, detail: words, instance: '/', code: 'DB_USAGE', requestId: 'req-1' }]
] as const) {
  t.test(`a mistake of the program is a 500 without details, and a logged error: ${format}`, async (t) => {
    const log = recordLog()
    const server = await build(t, { errors: { format }, server: { logger: log.logger } })
    server.get('/', async (request) => request.repo(keyless))

    const reply = await server.inject('/')
    t.equal(reply.statusCode, 500)
    t.strictSame(reply.json(), body)
    const errors = log.lines(30).filter(({ err }) => err !== undefined)
    t.match(errors, [{ level: 50, reqId: 'req-1', err: { type: 'UsageError', code: 'DB_USAGE', context: { table: 'keyless' } } }])
    t.equal(errors.length, 1)
  })
}

t.test('rule 15: getOrThrow of a missing row is answered 404, and a bad value 400', async (t) => {
  const server = await build(t)
  server.get('/:id', (request) => request.repo(users).getOrThrow(Object(request.params).id))

  t.match((await server.inject('/7')).json(), { statusCode: 404, code: 'DB_NOT_FOUND' })
  t.match((await server.inject('/seven')).json(), { statusCode: 400, code: 'DB_VALIDATION' })
})

t.test('works alone, with the plugins that it depends on registered before', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const server = Fastify()
  t.teardown(() => server.close())
  await t.rejects(async () => { await Fastify().register(repositoryPlugin) }, /data-access\/transaction/)

  await server.register(envPlugin, { connectionString })
  await server.register(databasePlugin, { connectionString, schema })
  await server.register(transactionPlugin)
  await server.register(repositoryPlugin)
  server.post('/', (request) => request.repo(users).create(ada))

  t.match((await server.inject({ method: 'POST', url: '/' })).json(), ada)
})
