import t from 'tap'
import { ServerWatch } from '../../../src/replicas/server-watch.js'
import { parseConnectionString } from '../../../src/settings/url/connection-string.js'
import { answer, startScriptedPostgres } from '../../helpers/scripted-postgres.js'
import { until } from '../../helpers/until.js'
import type { ServerState } from '../../../src/replicas/server-watch.js'

const columns = ['standby', 'system', 'position', 'timeline']

t.test('a watch asks again after each answer, and over a new connection if the server is not the right one', async (t) => {
  const postgres = await startScriptedPostgres(t)
  const told: Array<ServerState | undefined> = []
  const watch = new ServerWatch(parseConnectionString(postgres.connectionString), {
    intervalMillis: 1,
    timeoutMillis: 60_000,
    told: (state) => told.push(state) === 1
  })
  t.teardown(async () => watch.end())
  watch.start()
  const first = await postgres.accept()
  for (const position of ['0/10', '0/20']) {
    t.match(await first.next(), [/^Query select standby/])
    first.send(...answer('SELECT 1', { status: 'I', columns, rows: [['t', '1', position, '00000001']] }))
  }
  const second = await postgres.accept()
  await second.next()
  second.close()
  await until(() => told.length === 3)
  t.match(told, [{ system: '1', position: 0x10n, timeline: '00000001' }, { position: 0x20n }, undefined])
})

t.test('a watch that has ended tells nothing more, also if it was waiting for an answer', async (t) => {
  const postgres = await startScriptedPostgres(t)
  const watch = new ServerWatch(parseConnectionString(postgres.connectionString), { intervalMillis: 1, timeoutMillis: 60_000, told: () => t.fail('told') })
  const asking = watch.start()
  await (await postgres.accept()).next()
  watch.end()
  await asking
  t.pass()
})

t.test('a server that does not answer in time is told as such', async (t) => {
  const postgres = await startScriptedPostgres(t)
  const told = new Promise<unknown>((resolve) => {
    const watch = new ServerWatch(parseConnectionString(postgres.connectionString), {
      intervalMillis: 60_000,
      timeoutMillis: 50,
      told: (state) => {
        resolve(state)
        watch.end()
        return false
      }
    })
    watch.start()
  })
  t.equal(await told, undefined)
})
