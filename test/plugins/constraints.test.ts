import Fastify from 'fastify'
import t from 'tap'
import dataAccess from '../../plugins/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { isDrizzle1 } from '../helpers/drizzle.js'
import { recordingLogger } from '../helpers/logger.js'
import { declared, tables } from '../helpers/schema.js'
import { posts, writeFolder } from '../src/migrations/folder.js'
import type { FastifyInstance } from 'fastify'
import type { DataAccessOptions } from '../../plugins/index.js'
import type { Test } from '../helpers/test.js'

/** The name that drizzle-kit gives to the unique column of the table `users`. */
const emailOfSchema = isDrizzle1 ? 'users_email_key' : 'users_email_unique'
const words = { status: 409, message: 'No' }
const message = 'errors.constraints has names that no constraint has, so their replies are never sent: '

/** A server with replies for these constraints, and its log. */
async function build (t: Test, names: readonly string[], { sql = tables, ...options }: DataAccessOptions & { readonly sql?: string } = {}) {
  const { connectionString } = await createTestDatabase(t, { sql })
  const logger = recordingLogger()
  const server: FastifyInstance = Fastify({ pluginTimeout: 0 })
  t.teardown(() => server.close())
  const errors = { constraints: Object.fromEntries(names.map((name) => [name, words])) }
  await server.register(dataAccess, { connectionString, ...declared, logger, errors, ...options })
  return { server, warnings: () => logger.lines.filter(({ level }) => level === 'warn'), logger }
}

/** The messages of a server when it is ready, that of the check without its beginning. */
async function warned (t: Test, names: readonly string[], options?: Parameters<typeof build>[2]): Promise<string[]> {
  const { server, warnings } = await build(t, names, options)
  await server.ready()
  return warnings().map((line) => line.message.replace(message, ''))
}

t.test('a ready server has warned, in one line, of each name that no constraint has, and proposes the nearest one', async (t) => {
  const { server, warnings } = await build(t, ['users_balance_chekc', 'users_email_key', 'orders_total', 'posts_pkey'])
  t.strictSame(warnings(), [])
  await server.ready()
  t.strictSame(warnings(), [{
    level: 'warn',
    context: { constraints: ['users_balance_chekc', 'orders_total'] },
    message: `${message}"users_balance_chekc" (is it "users_balance_check"?), "orders_total"`
  }])
})

t.test('names of the schema are known before a database has them, and others are compared with them', async (t) => {
  const { server, logger } = await build(t, [emailOfSchema, 'posts_pkey'], { sql: '' })
  await server.ready()
  t.strictSame(logger.lines.filter(({ level }) => level !== 'info'), [], 'the catalogue is not asked')

  t.strictSame(await warned(t, [`${emailOfSchema}e`], { sql: '' }), [`"${emailOfSchema}e" (is it "${emailOfSchema}"?)`])
})

t.test('whatever may raise an error with a name in the database is known, in any schema', async (t) => {
  const sql = `
    create extension btree_gist;
    create schema billing;
    create domain billing.positive as int constraint positive_check check (value > 0);
    create table billing.rooms (room int, during tsrange, name text, constraint one_guest exclude using gist (room with =, during with &&));
    create unique index one_room on billing.rooms (lower(name));
    create index index_over_names on billing.rooms (name);
    create function refuse() returns trigger language plpgsql as $$ begin raise unique_violation using constraint = 'rooms_full'; end $$;`
  t.strictSame(await warned(t, ['positive_check', 'one_guest', 'one_room', 'rooms_full'], { sql }), [])
  t.strictSame(await warned(t, ['index_over_names'], { sql }), ['"index_over_names"'], 'an index that is not unique refuses nothing')
})

t.test('names that come with the migrations of the start are known, and while some are pending there is no warning', async (t) => {
  const files = [{ ...posts, sql: 'create table prices (price int constraint price_positive check (price > 0))' }]
  const folder = writeFolder(t.testdir({}), files)
  const names = ['price_positive', 'price_negative']
  t.strictSame(await warned(t, names, { migrations: { folder, atStart: 'apply' } }), ['"price_negative" (is it "price_positive"?)'])
  t.notMatch((await warned(t, names, { migrations: { folder } })).join(), /price_negative/)
})

t.test('nothing is checked without a schema', async (t) => {
  t.strictSame(await warned(t, ['nowhere'], { schema: undefined, relations: undefined }), [])
})

t.test('each database has constraints of its own', async (t) => {
  const { server, warnings } = await build(t, ['users_email_key'])
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const logger = recordingLogger()
  await server.register(dataAccess, { name: 'billing', connectionString, logger, errors: { constraints: { invoices_number_key: words } }, schema: {} })
  await server.ready()
  t.strictSame(warnings(), [])
  t.match(logger.lines.filter(({ level }) => level === 'warn'), [{ message: `${message}"invoices_number_key"` }])
})

t.test('a server starts although the names cannot be compared', async (t) => {
  const { server, warnings, logger } = await build(t, ['nowhere'], { pool: { size: 1, maxOverflow: 0 } })
  const client = await server.db.pool.connect()
  await client.query('select 1')
  await server.ready()
  client.release()
  t.strictSame(warnings(), [])
  t.match(logger.lines.filter(({ level }) => level === 'debug').at(-1), { message: 'the names in errors.constraints could not be compared with the database', context: { err: Error } })
})
