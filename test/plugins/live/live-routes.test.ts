import { channel } from 'node:diagnostics_channel'
import { Agent, get } from 'node:http'
import Fastify from 'fastify'
import t from 'tap'
import { sql } from 'drizzle-orm'
import { dataAccess } from '../../../plugins/index.js'
import { livePagePolicy } from '../../../src/activity/page/activity-page.js'
import { createTestDatabase, expectNoLeaks } from '../../../src/testing/index.js'
import { until } from '../../helpers/until.js'
import type { IncomingMessage } from 'node:http'
import type { Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import type { HealthOptions } from '../../../plugins/index.js'
import type { Activity, Holder } from '../../../src/activity/activity.js'

const path = '/health/database/live'
const statements = channel('tracing:data-access:statement:asyncEnd')

async function build (t: Test, health: HealthOptions = { live: true }): Promise<FastifyInstance> {
  const { database } = await createTestDatabase(t)
  const server = Fastify()
  t.teardown(async () => {
    await expectNoLeaks(server.db)
    await server.close()
  })
  await server.register(dataAccess, { pg: database.pool, health })
  return server
}

/**
 * Opens the events of a server; `next` resolves with the following one, or with undefined at the end. Not by fetch: Node's opens another
 * connection when a reply is aborted, and a server that closes waits for it.
 */
async function open (t: Test, server: FastifyInstance, agent: Agent | false = false) {
  const base = await server.listen({ port: 0, host: '127.0.0.1' }).catch(() => server.listeningOrigin)
  const request = get(`${base}${path}/events`, { agent })
  t.teardown(() => { request.destroy() })
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
  })
  request.on('error', () => {})
  const texts: AsyncIterator<string> = response.setEncoding('utf8')[Symbol.asyncIterator]()
  let text = ''
  return {
    response,
    leave: () => { request.destroy() },
    async next (): Promise<Activity | undefined> {
      while (!text.includes('\n\n')) {
        const { value, done } = await texts.next().catch(() => ({ value: undefined, done: true }))
        if (done === true) return undefined
        text += value
      }
      const [event = '', ...others] = text.split('\n\n')
      text = others.join('\n\n')
      return JSON.parse(event.replace(/^data: /, ''))
    }
  }
}

t.test('without live there is no live page', async (t) => {
  const server = await build(t, {})
  for (const url of [path, `${path}/events`, `${path}/stacks`]) t.equal((await server.inject(url)).statusCode, 404, url)
})

t.test('the live page is HTML under its strict policy, and has the figures of this moment', async (t) => {
  const server = await build(t)

  const reply = await server.inject(path)

  t.match(reply, { statusCode: 200, headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': livePagePolicy, 'cache-control': 'no-store' } })
  t.match(reply.body, '"database":"default"')
  t.match(await server.inject({ method: 'HEAD', url: path }), { statusCode: 200, body: '' })
  t.notOk(statements.hasSubscribers, 'nothing is watched when no page is open')
})

t.test('its events tell at once and once a second what the database does, and never a value', async (t) => {
  const server = await build(t)
  const page = await open(t, server)

  t.match(page.response.headers['content-type'], 'text/event-stream')
  t.match(await page.next(), { database: 'default', pools: [{ pool: 'default', waiting: 0 }] })
  await server.db.execute(sql`select ${'canary-7f3a'}::text as canary`)
  let event = await page.next()
  while (event?.shapes.length === 0) event = await page.next()

  t.match(event?.shapes, [{ text: 'select $1::text as canary', count: 1 }])
  t.notMatch(JSON.stringify(event), /canary-7f3a/)
})

t.test('pages share one watch, take no connection of the pool, and the last one ends it', async (t) => {
  const server = await build(t)
  const pages = [await open(t, server), await open(t, server), await open(t, server)]

  for (const page of pages) t.match(await page.next(), { pools: [{ inUse: 0 }] })
  t.ok(statements.hasSubscribers)
  for (const page of pages) t.match(await page.next(), { pools: [{ inUse: 0 }] })
  pages[0]?.leave()
  t.match(await pages[1]?.next(), { database: 'default' })
  for (const page of pages) page.leave()
  await until(() => !statements.hasSubscribers)

  const again = await open(t, server)
  t.match(await again.next(), { database: 'default' })
})

t.test('stacks are told when they are asked for', async (t) => {
  const server = await build(t)

  await server.db.session(async (session) => {
    await session.transaction(async () => {
      await session.execute(sql`create temporary table held ()`)
      const holders: Holder[] = (await server.inject(`${path}/stacks`)).json()
      t.match(holders, [{ route: String, state: 'idle in transaction', stack: /live-routes\.test/ }])
    })
  })
})

t.test('a closing server ends open pages, and does not wait for them', async (t) => {
  const server = await build(t)
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const page = await open(t, server, agent)
  await page.next()

  await server.close()

  let event = await page.next()
  while (event !== undefined) event = await page.next()
  t.notOk(statements.hasSubscribers)
})

t.test('preHandler of live guards its routes in place of that of health, which guards them otherwise', async (t) => {
  const refuse = async () => { throw Object.assign(new Error('no'), { statusCode: 403 }) }
  const own = await build(t, { live: { preHandler: [refuse] } })
  for (const url of [path, `${path}/events`, `${path}/stacks`]) t.equal((await own.inject(url)).statusCode, 403, url)
  t.equal((await own.inject('/health/database/pool')).statusCode, 200)

  const common = await build(t, { live: true, preHandler: refuse })
  t.equal((await common.inject(`${path}/stacks`)).statusCode, 403)
  const other = await build(t, { live: { preHandler: async () => {} }, preHandler: refuse })
  t.equal((await other.inject(path)).statusCode, 200)
})

t.test('a path that is taken and options that are wrong are refused with their names', async (t) => {
  const { database } = await createTestDatabase(t)
  const server = Fastify()
  t.teardown(() => server.close())
  server.get(`${path}/events`, async () => 1)
  const registered = async (live: unknown) => server.register(dataAccess, { pg: database.pool, health: { live: live as boolean } })

  await t.rejects(registered(true), { message: /has a route GET \/health\/database\/live\/events already/ })
  for (const [live, setting] of [[1, 'health.live'], [{ preHandler: 'no' }, 'health.live.preHandler'], [{ other: 1 }, 'health.live.other']] as const) {
    const another = Fastify()
    const options = { pg: database.pool, health: { live: live as never } }
    await t.rejects(async () => { await another.register(dataAccess, options) }, { message: new RegExp(setting) })
    await another.close()
  }
})
