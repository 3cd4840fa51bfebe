import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { SettingsError } from '../../src/index.js'
import dataAccess from '../../plugins/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { recordLog } from '../helpers/log-stream.js'
import { temporaryFolder } from '../helpers/recorder.js'
import { users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import { until } from '../helpers/until.js'
import type { RecorderOptions } from '../../plugins/index.js'

const one = { size: 1, maxOverflow: 0 }

t.test('the log names a file that opens offline and names the route, the statement and the holder', async (t) => {
  const log = recordLog()
  const folder = await temporaryFolder(t)
  const recorder = { folder, seconds: 10, files: 5, slowRequestMillis: 0 }
  const server = await build(t, { recorder, pool: { ...one, timeoutSeconds: 1 }, server: { logger: log.logger } })
  server.get('/starved', (request) => request.repo(users).count())
  const holder = server.db.createSession()
  await holder.repo(users).create({ email: 's3cret@example.com' })
  const told = () => log.lines(40).find(({ msg }) => msg.startsWith('the flight recorder'))

  t.equal((await server.inject('/starved?token=s3cret')).statusCode, 503)
  await until(() => told() !== undefined)
  await holder.rollback()

  const line = told()
  const file = line?.['file']
  t.match(line, { level: 40, incident: 'pool time-out', route: 'GET /starved', code: 'DB_POOL_TIMEOUT', blocker: /^database \(1 connection for/ })
  t.same(await readdir(folder), [String(file).slice(folder.length + 1)])
  const page = await readFile(String(file), 'utf8')
  t.match(page, /^<!doctype html>/i)
  t.match(page, /Content-Security-Policy/i)
  for (const part of ['GET /starved', 'select count', 'database', 'insert into', 'DB_POOL_TIMEOUT']) t.ok(page.includes(part), part)
  t.notMatch(`${page}${JSON.stringify(line)}`, /s3cret/)
})

t.test('a database with a name has a recorder of its own, and the file has its name', async (t) => {
  const log = recordLog()
  const folder = await temporaryFolder(t)
  const server = await build(t, { server: { logger: log.logger } })
  const { connectionString } = await createTestDatabase(t)
  await server.register(dataAccess, {
    name: 'billing', connectionString, recorder: { folder }, pool: { ...one, timeoutSeconds: 1 }
  })
  const billing = server.databases['billing']

  await billing?.transaction(async (session) => {
    await session.query('select 1')
    await t.rejects(billing.query('select 1'), { code: 'DB_POOL_TIMEOUT' })
  })
  await until(() => log.lines(40).some(({ file }) => file !== undefined))

  t.match(log.lines(40).find(({ file }) => file !== undefined), { database: 'billing', file: /pool-time-out-billing-/ })
})

t.test('true takes the defaults, and false is nothing', async (t) => {
  await build(t, { recorder: true })
  await build(t, { recorder: false })

  t.ok((await readdir(tmpdir())).includes('flight-recorder'))
})

t.test('refuses options that cannot be used, by their names', async (t) => {
  const folder = join(await temporaryFolder(t), 'none')
  const refusals: Array<[RecorderOptions, string]> = [
    [{ seconds: 0 }, 'recorder.seconds'], [{ seconds: 601 }, 'recorder.seconds'], [{ folder: '' }, 'recorder.folder'], [{ files: 0 }, 'recorder.files'],
    [{ slowRequestMillis: -1 }, 'recorder.slowRequestMillis'], [{ slowMillis: 1 } as RecorderOptions, 'recorder.slowMillis'], ['yes' as RecorderOptions, 'recorder']
  ]

  for (const [recorder, setting] of refusals) {
    const error = await build(t, { recorder: typeof recorder === 'object' ? { folder, ...recorder } : recorder }).catch((error: unknown) => error)
    t.ok(error instanceof SettingsError && error.message.includes(setting), setting)
  }
})
