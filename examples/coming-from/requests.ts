import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { createTestDatabase } from '../../src/testing/index.js'

type Build = (connectionString: string) => Promise<FastifyInstance>

const tables = readFileSync(join(import.meta.dirname, 'database.sql'), 'utf8')

/** Opens the service over a database of its own, as {@link Ask}. */
async function open (t: Test, build: Build) {
  const { connectionString } = await createTestDatabase(t, { migrate: (database) => database.query(tables), templateKey: tables })
  const server = await build(connectionString)
  t.teardown(() => server.close())

  /** Sends a request, and resolves with status and body. */
  return async (method: 'GET' | 'POST' | 'PATCH', url: string, payload?: object) => {
    const reply = await server.inject({ method, url, ...(payload !== undefined && { payload }) })
    return [reply.statusCode, reply.json()] as [status: number, body: { items: object[], createdAt: string, placedAt: string }]
  }
}

const ada = { name: 'Ada', email: 'ada@example.com' }
const grace = { name: 'Grace', email: 'grace@example.com' }
const tea = { item: 'tea', quantity: 2, cents: 450 }
const cup = { item: 'cup', quantity: 1, cents: 1200 }

/** Sends the same requests to a service, whatever it was built with. */
export function checkService (t: Test, name: string, build: Build): void {
  t.test(`${name}: creates, reads and changes a customer`, async (t) => {
    const ask = await open(t, build)
    const [status, created] = await ask('POST', '/customers', ada)
    t.match([status, created], [201, { id: 1, ...ada, createdAt: /Z$/ }])
    t.strictSame(await ask('GET', '/customers/1'), [200, created])
    t.strictSame(await ask('PATCH', '/customers/1', { name: 'Augusta Ada' }), [200, { ...created, name: 'Augusta Ada' }])
    t.strictSame(await ask('GET', '/customers/1'), [200, { ...created, name: 'Augusta Ada' }])
  })

  t.test(`${name}: refuses what is not there, and what is malformed`, async (t) => {
    const ask = await open(t, build)
    for (const url of ['/customers/9', '/orders/9']) t.equal((await ask('GET', url))[0], 404)
    t.equal((await ask('PATCH', '/customers/9', { name: 'Nobody' }))[0], 404)
    t.equal((await ask('GET', '/customers/x'))[0], 400)
    t.equal((await ask('POST', '/customers', { name: 'Ada' }))[0], 400)
    t.equal((await ask('POST', '/orders', { customerId: 1, lines: [] }))[0], 400)
  })

  t.test(`${name}: refuses an address that is taken`, async (t) => {
    const ask = await open(t, build)
    await ask('POST', '/customers', ada)
    await ask('POST', '/customers', grace)
    t.match(await ask('POST', '/customers', ada), [409, { message: 'This address is taken' }])
    t.match(await ask('PATCH', '/customers/2', { email: ada.email }), [409, { message: 'This address is taken' }])
  })

  t.test(`${name}: lists customers by name, page by page`, async (t) => {
    const ask = await open(t, build)
    for (const name of ['Cleo', 'Ada', 'Bea', 'Ada', 'Dora']) {
      t.equal((await ask('POST', '/customers', { name, email: `${Math.random()}@example.com` }))[0], 201)
    }
    t.match(await ask('GET', '/customers?limit=3'), [200, { items: [{ id: 2 }, { id: 4 }, { name: 'Bea' }], page: 1, limit: 3, total: 5, pages: 2 }])
    t.match(await ask('GET', '/customers?limit=3&page=2'), [200, { items: [{ name: 'Cleo' }, { name: 'Dora' }], page: 2 }])
    t.strictSame(await ask('GET', '/customers?page=3'), [200, { items: [], page: 3, limit: 20, total: 5, pages: 1 }])
  })

  t.test(`${name}: places an order with its lines`, async (t) => {
    const ask = await open(t, build)
    await ask('POST', '/customers', ada)
    const [status, order] = await ask('POST', '/orders', { customerId: 1, lines: [tea, cup] })
    t.match([status, order], [201, { id: 1, customerId: 1, placedAt: /Z$/ }])
    t.strictSame(await ask('GET', '/orders/1'), [200, { ...order, lines: [cup, tea] }])
  })

  t.test(`${name}: places all of an order, or nothing`, async (t) => {
    const ask = await open(t, build)
    await ask('POST', '/customers', ada)
    t.match(await ask('POST', '/orders', { customerId: 1, lines: [tea, cup, tea] }), [409, { message: 'An item is there twice' }])
    t.match(await ask('POST', '/orders', { customerId: 9, lines: [tea] }), [422, { message: 'There is no such customer' }])
    t.strictSame(await ask('GET', '/reports/customers'), [200, [{ name: 'Ada', orders: 0, cents: 0 }]])
  })

  t.test(`${name}: reports orders and their worth`, async (t) => {
    const ask = await open(t, build)
    for (const customer of [grace, ada]) await ask('POST', '/customers', customer)
    for (const lines of [[tea, cup], [cup]]) t.equal((await ask('POST', '/orders', { customerId: 1, lines }))[0], 201)
    t.strictSame(await ask('GET', '/reports/customers'), [200, [{ name: 'Ada', orders: 0, cents: 0 }, { name: 'Grace', orders: 2, cents: 3300 }]])
  })
}
