import assert from 'node:assert/strict'
import { after, afterEach, beforeEach, test } from 'node:test'
import { createTestDatabase, expectNoLeaks, factory, sandbox, type Sandbox } from '../../src/testing/index.js'
import { buildServer } from './build-server.js'
import { customers, invoices } from './schema.js'

const { connectionString, drop } = await createTestDatabase(undefined, { migrations: './drizzle' })
const server = await buildServer(connectionString)
after(async () => {
  await expectNoLeaks(server.db)
  await server.close()
  await drop()
})

// Each test is undone at its end.
let box: Sandbox
beforeEach(async () => { box = await sandbox(server) })
afterEach(() => box.rollback())

const newCustomer = factory(customers, (n) => ({ name: `Customer ${n}`, email: `customer${n}@example.com` }))
const post = (url: string, payload?: object) => server.inject({ method: 'POST', url, ...(payload !== undefined && { payload }) })

test('refuses an address that is taken', async () => {
  const ada = { name: 'Ada', email: 'ada@example.com' }
  assert.equal((await post('/customers', ada)).statusCode, 201)
  const refused = await post('/customers', ada)
  assert.equal(refused.statusCode, 409)
  assert.equal(refused.json().code, 'EMAIL_TAKEN')
})

test('refuses a property that the schema does not name', async () => {
  const refused = await post('/customers', { name: 'Ada', email: 'ada@example.com', colour: 'red' })
  assert.equal(refused.statusCode, 400)
})

test('shows an invoice with its lines', async () => {
  const { id: customerId } = await newCustomer({}, server.db)
  const lines = [{ description: 'Work', cents: 9000 }, { description: 'Coffee', cents: 300 }]
  const { id } = (await post('/invoices', { customerId, lines })).json()

  const invoice = (await server.inject(`/invoices/${id}`)).json()
  assert.equal(invoice.status, 'draft')
  assert.deepEqual(invoice.lines.map(({ position, cents }: { position: number, cents: number }) => [position, cents]), [[1, 9000], [2, 300]])
})

test('writes all of an invoice, or nothing', async () => {
  const { id: customerId } = await newCustomer({}, server.db)
  const refused = await post('/invoices', { customerId, lines: [{ description: 'Work', cents: 9000 }, { description: 'Air', cents: 0 }] })
  assert.equal(refused.statusCode, 422)
  assert.equal(await server.db.repo(invoices).count(), 0)
})

test('lists the invoices of a customer, page by page', async () => {
  const { id: customerId } = await newCustomer({}, server.db)
  await server.db.repo(invoices).createMany([{ customerId }, { customerId }, { customerId }])

  const first = (await server.inject(`/invoices?customerId=${customerId}&sort=-createdAt&limit=2`)).json()
  const second = (await server.inject(`/invoices?customerId=${customerId}&sort=-createdAt&limit=2&after=${first.next}`)).json()
  assert.deepEqual([first.items.length, second.items.length, second.next], [2, 1, null])
  assert.equal((await server.inject('/invoices?colour=red')).statusCode, 400)
})

test('sends an invoice once', async () => {
  const { id: customerId } = await newCustomer({}, server.db)
  const { id } = (await post('/invoices', { customerId, lines: [{ description: 'Work', cents: 9000 }] })).json()
  assert.equal((await post(`/invoices/${id}/send`)).json().status, 'sent')
  assert.equal((await post(`/invoices/${id}/send`)).statusCode, 409)
  assert.equal((await post('/invoices/999/send')).statusCode, 404)
})
