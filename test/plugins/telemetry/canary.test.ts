import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { openTelemetry } from '../../../src/opentelemetry/index.js'
import { prometheus } from '../../../src/prometheus/index.js'
import { acquireChannel, leakChannel, releaseChannel, retryChannel, statementChannel, transactionChannel } from '../../../src/channels/channels.js'
import { subscribe } from '../../../src/channels/subscribe.js'
import { exporters } from '../../helpers/exporters.js'
import { recordLog } from '../../helpers/log-stream.js'
import { temporaryFolder } from '../../helpers/recorder.js'
import { users } from '../../helpers/schema.js'
import { build } from '../../helpers/server.js'
import { until } from '../../helpers/until.js'
import type { FastifyRequest } from 'fastify'

/** It is in every parameter and in every row. As a number it is the balance. */
const canary = 'canary4711'
const number = 471147114
const sightings = new RegExp(`${canary}|${number}`)

const address = (name: string): string => `${name}-${canary}@example.com`

/** Every kind of statement, each with the canary in its parameters; those that PostgreSQL refuses name it in their detail. */
const uses: Record<string, (request: FastifyRequest) => Promise<unknown>> = {
  create: ({ db }) => db.repo(users).create({ email: address('a'), balance: number }),
  createMany: ({ db }) => db.repo(users).createMany([{ email: address('b') }, { email: address('c'), balance: number }]),
  get: ({ db }) => db.repo(users).get(number),
  filter: ({ db }) => db.repo(users).filter({ email: { in: [address('a'), canary] }, balance: { gte: number } }),
  update: ({ db }) => db.repo(users).updateMany({ email: address('a') }, { balance: number }),
  upsert: ({ db }) => db.repo(users).upsert({ email: address('a'), balance: number }, { target: 'email' }),
  getOrCreate: ({ db }) => db.repo(users).getOrCreate({ email: address('d') }, { balance: number }),
  cursor: ({ db }) => db.repo(users).cursor({ email: { like: `%${canary}%` } }, { orderBy: { email: 'asc' }, limit: 1 }),
  delete: ({ db }) => db.repo(users).deleteMany({ email: address('d') }),
  execute: ({ db }) => db.execute(sql`select ${canary}::text as ${sql.identifier('found')}, ${number}::int`),
  query: ({ db }) => db.query('select $1::text', [canary]),
  drizzle: async ({ db }) => await db.drizzle.select().from(users).where(sql`${users.email} = ${canary}`),
  nested: ({ db }) => db.transaction((scope) => scope.repo(users).create({ email: address('e') })),
  async stream ({ db }) { for await (const user of db.repo(users).stream({ email: { like: `%${canary}%` } })) if (user.id < 0) break },
  duplicate: ({ db }) => db.repo(users).create({ email: address('b') }),
  check: ({ db }) => db.repo(users).create({ email: address('f'), balance: -number }),
  syntax: ({ db }) => db.execute(sql`select ${canary}::int`),
  raised: ({ db }) => db.execute(sql`select set_config('app.value', ${canary}, true), 1 / (${number}::int - ${number}::int)`),
  conflict: ({ db }) => db.execute(sql`do $$ begin raise exception using errcode = '40001', message = 'collided'; end $$`),
  slow: ({ db }) => db.execute(sql`select ${canary}::text, pg_sleep(0.2)`)
}

t.test('a value of a parameter or a row appears in no span, metric, message, log line, file, header or live page', async (t) => {
  const { tracerProvider, meterProvider, spans, metrics } = exporters(t)
  const log = recordLog()
  const folder = await temporaryFolder(t)
  const messages: object[] = []
  const channels = [statementChannel, transactionChannel, acquireChannel].flatMap(({ start, asyncEnd, error }) => [start, asyncEnd, error])
  const ends = [...channels, releaseChannel, leakChannel, retryChannel].map((channel) => {
    return subscribe(channel as typeof leakChannel, (message) => { messages.push({ ...message }) })
  })
  const registry = new Registry()
  const doors = [openTelemetry({ tracerProvider, meterProvider }), prometheus({ registry })]
  t.teardown(async () => {
    for (const end of ends) end()
    for (const door of doors) door.disable()
  })

  const server = await build(t, {
    server: { logger: { ...log.logger, level: 'trace' } },
    health: { live: true },
    recorder: { folder, slowRequestMillis: 100, seconds: 5 },
    serverTiming: true,
    echo: true,
    leakWarningSeconds: 0.1,
    pool: { size: 2, maxOverflow: 0, echo: true, timeoutSeconds: 0.3 },
    transaction: { retries: 1, context: () => ({ settings: { 'app.tenant': canary } }) }
  })
  for (const [name, use] of Object.entries(uses)) server.post(`/${name}`, async (request) => { await use(request); return name })
  const replies = []
  for (const name of Object.keys(uses)) replies.push({ name, ...await server.inject({ method: 'POST', url: `/${name}` }) })
  t.same(replies.filter(({ statusCode }) => statusCode !== 200).map(({ name }) => name), ['duplicate', 'check', 'syntax', 'raised', 'conflict'])
  const headers = replies.map((reply) => reply.headers)

  const holders = [server.db.createSession(), server.db.createSession()]
  for (const [index, holder] of holders.entries()) await holder.repo(users).create({ email: address(`holder ${index}`), balance: number })
  await server.inject({ method: 'POST', url: '/get' })
  await until(() => messages.some((message) => 'stack' in message))
  // The recorder and the pages share what they show.
  const pages = [await server.inject('/health/database/live'), await server.inject('/health/database/live/stacks')].map(({ body }) => body)
  await Promise.all(holders.map((holder) => holder.rollback()))
  // A file that is being written has another name until it is whole.
  const recordings = async () => (await readdir(folder)).filter((name) => name.endsWith('.html'))
  await until(async () => (await recordings()).length >= 3)

  const files = await Promise.all((await recordings()).map((name) => readFile(join(folder, name), 'utf8')))
  const told = {
    spans: JSON.stringify(spans()),
    metrics: JSON.stringify(await metrics()),
    registry: await registry.metrics(),
    messages: JSON.stringify(messages),
    log: log.text,
    files: files.join(),
    pages: pages.join(),
    headers: JSON.stringify(headers)
  }
  for (const [name, text] of Object.entries(told)) {
    t.ok(text.length > 1000, `${name}: much was told`)
    t.notMatch(text, sightings, name)
  }
})
