/**
 * The dashboard and the alerts of docs/observability on a real Prometheus: `npm run test:observability`. It needs `prometheus` on the PATH,
 * and takes half a minute.
 *
 * A server is asked by Prometheus while it works, and while its pool is starved, a connection leaks and the response to a COMMIT is lost.
 * Each query of the dashboard must give numbers, no alert may fire before there is a reason, and then each one must. Exits with 1 otherwise.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { filled, panelQueries } from './dashboard.js'
import { hasPrometheus, startPrometheus } from './prometheus.js'
import { startShop } from './shop.js'
import { startPostgres } from '../../../src/testing/index.js'
import type { Alert, Prometheus } from './prometheus.js'
import type { Shop } from './shop.js'

if (!hasPrometheus()) {
  console.log('skipped: prometheus is not on the PATH')
  process.exit(0)
}
const patienceMillis = 20_000
const folder = mkdtempSync(join(tmpdir(), 'observability-'))
chmodSync(folder, 0o755)
const postgres = await startPostgres({ folder: join(folder, 'postgres'), persistent: false })
const shop = await startShop(postgres.connectionString)
const prometheus = await startPrometheus(folder, shop.port)
const failures: string[] = []
try {
  await tryAll(prometheus, shop)
} finally {
  await prometheus.stop()
  await shop.close()
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
}
for (const failure of failures) console.error(`FAILED: ${failure}`)
process.exit(failures.length === 0 ? 0 : 1)

async function tryAll (prometheus: Prometheus, shop: Shop): Promise<void> {
  // Two of the answers of Prometheus make a rate.
  await reaches(async () => (await prometheus.query('count_over_time(db_client_connection_max[1m]) > 2')).length > 0, 'Prometheus has not asked the server')
  for (let round = 0; round < 6; round++) {
    await shop.live()
    await wait(300)
  }
  const silent = await prometheus.alerts()
  if (silent.length > 0) failures.push(`${namesOf(silent)} fired without a reason`)
  for (const [name, provoke] of [
    ['DatabasePoolWaits', () => shop.starve()], ['DatabaseCommitUnknown', () => shop.loseCommit()], ['DatabaseConnectionLeak', () => shop.leak()]
  ] as const) {
    await provoke()
    await reaches(async () => (await firing(prometheus)).some(({ labels }) => labels['alertname'] === name), `${name} does not fire`)
  }
  for (const { annotations } of await firing(prometheus)) console.log(`fires: ${annotations['summary']}`)
  await shop.live()
  await wait(1500)
  for (const { panel, expr } of panelQueries) {
    const series = await prometheus.query(filled(expr))
    const numbers = series.filter(({ value }) => Number.isFinite(value))
    console.log(`${panel}: ${series.slice(0, 4).map(({ metric, value }) => `${Object.values(metric).join(' ')} ${value.toPrecision(3)}`.trim()).join(', ')}`)
    if (numbers.length === 0) failures.push(`"${panel}" has no numbers: ${expr}`)
  }
}

async function firing (prometheus: Prometheus): Promise<Alert[]> {
  return (await prometheus.alerts()).filter(({ state }) => state === 'firing')
}

function namesOf (alerts: readonly Alert[]): string {
  return alerts.map(({ labels }) => labels['alertname']).join(', ')
}

async function reaches (condition: () => Promise<boolean>, failure: string): Promise<void> {
  const deadline = performance.now() + patienceMillis
  while (!await condition()) {
    if (performance.now() > deadline) {
      failures.push(failure)
      return
    }
    await wait(100)
  }
}
