import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { observability } from './dashboard.js'
import { freePort } from '../../helpers/free-port.js'
import { until } from '../../helpers/until.js'

/** One series that a query gave. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

/** An alert, as Prometheus sees it. */
export interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: string
}

/** A running Prometheus. */
export interface Prometheus {
  query (expr: string): Promise<Series[]>
  alerts (): Promise<Alert[]>
  stop (): Promise<void>
}

/** Whether Prometheus is on the PATH. */
export function hasPrometheus (): boolean {
  try {
    execFileSync('prometheus', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Starts Prometheus with the alerts of the documentation; it asks the server on a port every half second. */
export async function startPrometheus (folder: string, target: number): Promise<Prometheus> {
  const port = await freePort()
  const config = join(folder, 'prometheus.yml')
  writeFileSync(config, JSON.stringify({ // JSON is YAML
    global: { scrape_interval: '500ms', evaluation_interval: '500ms' },
    rule_files: [join(observability, 'alerts.yml')],
    scrape_configs: [{ job_name: 'shop', scrape_timeout: '500ms', static_configs: [{ targets: [`127.0.0.1:${target}`] }] }]
  }))
  const prometheus = spawn('prometheus', [
    `--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'series')}`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'
  ], { stdio: ['ignore', 'inherit', 'inherit'] })
  const ask = async <Answer> (path: string): Promise<Answer> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)
    const { data, error } = await response.json() as { data: Answer, error?: string }
    if (error !== undefined) throw new Error(error)
    return data
  }
  await until(() => fetch(`http://127.0.0.1:${port}/-/ready`).then(({ ok }) => ok, () => false))
  return {
    async query (expr) {
      const { result } = await ask<{ result: Array<{ metric: Record<string, string>, value: [number, string] }> }>(`query?query=${encodeURIComponent(expr)}`)
      return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }))
    },
    alerts: async () => (await ask<{ alerts: Alert[] }>('alerts')).alerts,
    async stop () {
      const ended = once(prometheus, 'exit')
      prometheus.kill()
      await ended
    }
  }
}
