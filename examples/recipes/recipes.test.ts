import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import dataAccess from '../../plugins/index.js'
import { createTestDatabase, expectNoLeaks } from '../../src/testing/index.js'
import { archivedInvoices } from './archive.js'
import { withAuth } from './better-auth.js'
import { constraints, members, withMembers } from './email-addresses.js'
import { graphql } from './graphql.js'
import { idempotentPayments } from './idempotent-payments.js'
import { billConstraints, billPayments, bills, paymentsWithKeys } from './payments-with-keys.js'
import { reports } from './reports.js'
import { repositories } from './repositories.js'
import * as schema from './schema.js'
import { scopedLists } from './scoped-lists.js'
import { withArchive } from './second-database.js'
import { trpc } from './trpc.js'
import { withZod } from './zod.js'

const { customers, invoices, payments } = schema
const ada = { name: 'Ada', email: 'ada@example.com' }
const grace = { name: 'Grace', email: 'grace@example.com' }

/** A database with the tables of a file of this folder. */
async function databaseOf (t: Test, file: string): Promise<string> {
  const tables = readFileSync(join(import.meta.dirname, file), 'utf8')
  return (await createTestDatabase(t, { migrate: (database) => database.query(tables), templateKey: tables })).connectionString
}

type Recipe = (server: FastifyInstance) => Promise<void>

/** A server with the routes of a recipe, over a database of its own. */
async function serve (t: Test, recipe: Recipe, options: object = {}): Promise<FastifyInstance> {
  const server = Fastify()
  await server.register(dataAccess, { schema, connectionString: await databaseOf(t, 'tables.sql'), ...options })
  await recipe(server)
  return ready(t, server)
}

function ready (t: Test, server: FastifyInstance): FastifyInstance {
  t.teardown(async () => {
    await expectNoLeaks(server.db)
    await server.close()
  })
  return server
}

async function ask (server: FastifyInstance, method: 'GET' | 'POST', url: string, payload?: object, headers = {}): Promise<[status: number, body: unknown]> {
  const reply = await server.inject({ method, url, headers, ...(payload !== undefined && { payload }) })
  return [reply.statusCode, reply.json()]
}

t.test('scoped lists: a list never leaves its customer', async (t) => {
  const server = await serve(t, scopedLists)
  await server.db.repo(customers).createMany([ada, grace])
  await server.db.repo(invoices).createMany([10, 20, 30].flatMap((cents) => [{ customerId: 1, cents }, { customerId: 2, cents }]))
  const [status, page] = await ask(server, 'GET', '/customers/1/invoices?cents[gte]=20&sort=-cents&limit=1') as [number, { next: string }]
  t.match([status, page], [200, { items: [{ customerId: 1, cents: 30 }], next: /./ }])
  const rest = `invoices?cents[gte]=20&sort=-cents&limit=1&after=${page.next}`
  t.match(await ask(server, 'GET', `/customers/1/${rest}`), [200, { items: [{ customerId: 1, cents: 20 }], next: null }])
  t.equal((await ask(server, 'GET', `/customers/2/${rest}`))[0], 400)
  t.equal((await ask(server, 'GET', '/customers/1/invoices?customerId=2'))[0], 400)
  t.equal((await ask(server, 'GET', '/customers/3/invoices'))[0], 404)
})

t.test('one repository from another: both write in one transaction', async (t) => {
  const server = await serve(t, repositories)
  t.match(await ask(server, 'POST', '/invoices', { customer: ada, cents: 5 }), [200, { customerId: 1 }])
  t.match(await ask(server, 'POST', '/invoices', { customer: ada, cents: 6 }), [200, { customerId: 1 }])
  t.equal((await ask(server, 'POST', '/invoices', { customer: grace, cents: 2 ** 31 }))[0], 400)
  t.equal(await server.db.repo(customers).count(), 1, 'a customer without an invoice is not kept')
})

t.test('sums and reports', async (t) => {
  const server = await serve(t, reports)
  await server.db.repo(customers).createMany([grace, ada])
  const at = (month: number) => new Date(Date.UTC(2026, month - 1, 15))
  await server.db.repo(invoices).createMany([
    { customerId: 1, cents: 100, issuedAt: at(1) }, { customerId: 2, cents: 20, paidCents: 5, issuedAt: at(2) }, { customerId: 1, cents: 3, issuedAt: at(2) }
  ])
  t.strictSame(await ask(server, 'GET', '/customers/2/balance'), [200, { cents: 15 }])
  t.strictSame(await ask(server, 'GET', '/customers/9/balance'), [200, { cents: 0 }])
  t.strictSame(await ask(server, 'GET', '/reports/customers?since=2026-01-01'), [200, [
    { name: 'Ada', invoices: 1, cents: 20 }, { name: 'Grace', invoices: 2, cents: 103 }
  ]])
  t.strictSame(await ask(server, 'GET', '/reports/months?since=2026-01-01'), [200, [
    { month: '2026-01', cents: 100, total: 100 }, { month: '2026-02', cents: 23, total: 123 }
  ]])
})

t.test('e-mail addresses: one is taken once, and found however it is written', async (t) => {
  const server = await serve(t, withMembers, { casing: 'snake_case', errors: { constraints } })
  t.match(await ask(server, 'POST', '/members', { name: 'Ada', email: ' Ada@Example.com' }), [201, { id: 1, email: 'ada@example.com' }])
  t.match(await ask(server, 'POST', '/members', { name: 'Ada', email: 'ADA@example.com' }), [409, { code: 'EMAIL_TAKEN' }])
  t.match(await ask(server, 'POST', '/members', { name: 'Ada', email: 'ada' }), [400, { code: 'EMAIL_INVALID' }])
  for (const query of ['email=ADA@example.com', 'email[in]=x@y,aDa@example.com', 'email[gte]=ADA@']) {
    t.match(await ask(server, 'GET', `/members?${query}`), [200, { items: [{ email: 'ada@example.com' }] }], query)
  }
  const rows = ['Grace', 'Edsger', 'Ada'].map((name) => ({ name, email: `${name}@EXAMPLE.com` }))
  await t.rejects(server.db.repo(members).createMany(rows), { code: 'EMAIL_TAKEN', context: { row: 2 } })
  await server.db.repo(members).softDelete(1)
  t.equal((await server.db.repo(members).createMany(rows)).length, 3)
})

t.test('idempotent payments: requests with one key pay once', async (t) => {
  const server = await serve(t, idempotentPayments)
  await server.db.repo(customers).create(ada)
  await server.db.repo(invoices).create({ customerId: 1, cents: 100 })
  const pay = (key: string, cents: number) => ask(server, 'POST', '/invoices/1/payments', { cents }, { 'idempotency-key': key })

  const together = await Promise.all(Array.from({ length: 20 }, () => pay('first-key', 60)))
  for (const answer of together) t.strictSame(answer, [201, { id: 1, invoiceId: 1, cents: 60 }])
  const again = await server.inject({ method: 'POST', url: '/invoices/1/payments', payload: { cents: 60 }, headers: { 'idempotency-key': 'first-key' } })
  t.equal(again.body, '{"id":1,"invoiceId":1,"cents":60}', 'the same text')
  t.equal(await server.db.repo(payments).count(), 1)
  t.equal((await pay('first-key', 30))[0], 422, 'a key belongs to one request')
  t.equal((await pay('other-key', 60))[0], 409)
  t.match(await pay('other-key', 40), [201, { cents: 40 }], 'a refused request leaves no key')
  t.match(await server.db.repo(invoices).get(1), { paidCents: 100 })
  t.equal((await ask(server, 'POST', '/invoices/1/payments', { cents: 1 }))[0], 400)
})

t.test('payments with keys: requests with one key pay once, and different ones together never more than is due', async (t) => {
  const server = await serve(t, paymentsWithKeys, { errors: { constraints: billConstraints } })
  await server.db.repo(bills).create({ cents: 100 })
  const pay = (key: string, cents: number) => ask(server, 'POST', '/bills/1/payments', { cents }, { 'idempotency-key': key })

  const together = await Promise.all(Array.from({ length: 20 }, () => pay('first-key', 60)))
  for (const answer of together) t.strictSame(answer, [201, { id: 1, key: 'first-key', billId: 1, cents: 60 }])
  t.equal((await pay('first-key', 30))[0], 422)
  t.match(await pay('other-key', 60), [409, { code: 'OVERPAID' }])
  const small = await Promise.all(Array.from({ length: 10 }, (_, index) => pay(`small-key-${index}`, 10)))
  t.strictSame(small.map(([status]) => status).sort(), [...Array(4).fill(201), ...Array(6).fill(409)])
  t.strictSame([await server.db.repo(bills).get(1), await server.db.repo(billPayments).count()], [{ id: 1, cents: 100, paidCents: 100 }, 5])
})

t.test('tRPC: what fails in a batch is undone, the rest is kept', async (t) => {
  const server = await serve(t, trpc)
  t.match(await ask(server, 'POST', '/trpc/addCustomer', ada), [200, { result: { data: { id: 1 } } }])
  t.match(await ask(server, 'GET', '/trpc/customer?input=1'), [200, { result: { data: ada } }])
  t.equal((await ask(server, 'GET', '/trpc/customer?input=9'))[0], 404)
  t.match(await ask(server, 'POST', '/trpc/addCustomer,addCustomer?batch=1', { 0: ada, 1: grace }), [207, [
    { error: { message: 'A row with the same unique value already exists', data: { code: 'DB_UNIQUE_VIOLATION', httpStatus: 409 } } },
    { result: { data: grace } }
  ]])
  t.equal(await server.db.repo(customers).count(), 2)
})

t.test('GraphQL: a failed resolver keeps nothing, and related rows take one statement', async (t) => {
  const server = await serve(t, graphql, { statementBudget: { max: 2, exceed: 'throw' } })
  const graph = (query: string) => ask(server, 'POST', '/graphql', { query })
  const add = ({ name, email }: typeof ada) => `addCustomer(name: "${name}", email: "${email}") { id }`
  t.strictSame(await graph(`mutation { ${add(ada)} }`), [200, { data: { addCustomer: { id: 1 } } }])
  t.match(await graph(`mutation { one: ${add(grace)} two: ${add(ada)} }`), [200, { data: null, errors: [{ path: ['two'] }] }])
  t.match(await graph(`mutation { one: ${add(ada)} two: ${add(grace)} }`), [200, { data: null, errors: [{ path: ['one'] }, { path: ['two'] }] }])
  t.match(await graph('{ customers { name } customer(id: 9) { name } }'), [404, { errors: [{ path: ['customer'] }] }])
  t.equal(await server.db.repo(customers).count(), 1)
  await graph(`mutation { ${add(grace)} }`)
  const [{ id } = { id: 0 }] = await server.db.repo(customers).filter({ name: 'Grace' })
  await server.db.repo(invoices).createMany([{ customerId: 1, cents: 5 }, { customerId: id, cents: 6 }, { customerId: id, cents: 7 }])
  const listed = [{ name: 'Ada', invoices: [{ cents: 5 }] }, { name: 'Grace', invoices: [{ cents: 6 }, { cents: 7 }] }]
  t.strictSame(await graph('{ customers { name invoices { cents } } }'), [200, { data: { customers: listed } }])
})

t.test('zod: checks and changes what a client sends', async (t) => {
  const server = await serve(t, withZod)
  t.match(await ask(server, 'POST', '/customers', { ...ada, email: 'Ada@Example.com' }), [201, ada])
  t.equal((await ask(server, 'POST', '/customers', { name: 'Bea', email: 'none' }))[0], 400)
  t.match(await ask(server, 'GET', '/customers/1'), [200, ada])
  t.equal((await ask(server, 'GET', '/customers/x'))[0], 400)
  t.match(await ask(server, 'GET', '/customers?name[contains]=da'), [200, { items: [ada] }])
  t.equal((await ask(server, 'GET', '/customers?id=1'))[0], 400)
  t.equal((await ask(server, 'GET', '/health/database'))[0], 200)
})

t.test('a second database: an invoice is in one of the two', async (t) => {
  const server = Fastify()
  await withArchive(server, { connectionString: await databaseOf(t, 'tables.sql'), archiveConnectionString: await databaseOf(t, 'archive.sql') })
  ready(t, server)
  await server.db.repo(customers).create(ada)
  await server.db.repo(invoices).create({ customerId: 1, cents: 5 })
  await server.db.repo(invoices).create({ customerId: 1, cents: 6 })
  await server.db.repo(payments).create({ invoiceId: 2, cents: 6 })
  const archived = server.databases['archive']!
  t.match(await ask(server, 'POST', '/invoices/1/archive'), [200, { id: 1, customerName: 'Ada', cents: 5 }])
  t.strictSame([await server.db.repo(invoices).count(), await archived.repo(archivedInvoices).count()], [1, 1])
  t.equal((await ask(server, 'POST', '/invoices/2/archive'))[0], 409, 'it has a payment')
  t.strictSame([await server.db.repo(invoices).count(), await archived.repo(archivedInvoices).count()], [1, 1])
})

t.test('better-auth: signs up, signs in, and knows its user', async (t) => {
  const server = await serve(t, (server) => withAuth(server, { secret: 'a secret of these tests, long enough', baseURL: 'http://localhost:3000' }))
  const headers = { origin: 'http://localhost:3000' }
  const send = (path: string, payload: object) => server.inject({ method: 'POST', url: `/api/auth/${path}`, headers, payload })
  t.equal((await send('sign-up/email', { ...ada, password: 'correct horse' })).statusCode, 200)
  t.equal((await send('sign-up/email', { ...ada, password: 'correct horse' })).statusCode, 422)
  t.equal((await send('sign-in/email', { email: ada.email, password: 'wrong horse' })).statusCode, 401)
  const signedIn = await send('sign-in/email', { email: ada.email, password: 'correct horse' })
  const cookie = signedIn.cookies.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`).join('; ')
  t.match(await ask(server, 'GET', '/me', undefined, { cookie }), [200, ada])
  t.equal((await ask(server, 'GET', '/me'))[0], 401)
})
