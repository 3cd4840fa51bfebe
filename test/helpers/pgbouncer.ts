import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Client } from 'pg'
import { freePort } from './free-port.js'
import type { ChildProcess } from 'node:child_process'

/** How a PgBouncer is set up, besides its pool mode, which is `transaction`. */
export interface PgBouncerOptions {
  /** Connections to PostgreSQL for each database. @defaultValue `3` */
  readonly servers?: number
  /** More lines for the section `[pgbouncer]`. */
  readonly settings?: Readonly<Record<string, string | number>>
}

const running = new Set<ChildProcess>()
process.on('exit', () => { for (const child of running) child.kill('SIGKILL') })

/** A PgBouncer of this machine, found on the PATH, before a PostgreSQL. Every user gets in, as the user of the target. */
export class PgBouncer {
  readonly port: number
  /** The target's URL, through PgBouncer. */
  readonly connectionString: string
  /** The name of the target's database. */
  readonly database: string
  readonly #folder: string
  #process: ChildProcess | undefined

  private constructor (target: string, port: number, folder: string) {
    this.port = port
    this.#folder = folder
    const url = new URL(target)
    url.host = `127.0.0.1:${port}`
    this.connectionString = url.href
    this.database = url.pathname.slice(1)
  }

  static async start (target: string, { servers = 3, settings = {} }: PgBouncerOptions = {}): Promise<PgBouncer> {
    const folder = mkdtempSync(join(tmpdir(), 'data-access-pgbouncer-'))
    // PgBouncer does not run as root.
    chmodSync(folder, 0o755)
    const port = await freePort()
    const { hostname, port: targetPort, username, password } = new URL(target)
    const lines = {
      listen_addr: '127.0.0.1',
      listen_port: port,
      unix_socket_dir: '',
      auth_type: 'any',
      admin_users: 'admin',
      pool_mode: 'transaction',
      default_pool_size: servers,
      max_client_conn: 1000,
      server_login_retry: 0,
      ...settings
    }
    writeFileSync(join(folder, 'pgbouncer.ini'), [
      '[databases]',
      `* = host=${hostname} port=${targetPort || 5432} user=${decodeURIComponent(username)} password=${decodeURIComponent(password)}`,
      '[pgbouncer]',
      ...Object.entries(lines).map(([name, value]) => `${name} = ${value}`), ''
    ].join('\n'))
    const bouncer = new PgBouncer(target, port, folder)
    await bouncer.#launch()
    return bouncer
  }

  /** Runs a command of its console: `PAUSE`, `RESUME`, `RELOAD`. */
  async command (text: string): Promise<void> {
    const client = new Client({ host: '127.0.0.1', port: this.port, user: 'admin', database: 'pgbouncer', ssl: false })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query(text)
    } finally {
      client.end().catch(() => {})
    }
  }

  /** Ends it by a signal, and starts it again at the same port. */
  async restart (signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<void> {
    await this.#end(signal)
    await this.#launch()
  }

  async stop (): Promise<void> {
    await this.#end('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #end (signal: NodeJS.Signals): Promise<void> {
    const ended = this.#process
    this.#process = undefined
    if (ended === undefined) return
    running.delete(ended)
    if (ended.exitCode !== null) return
    ended.kill(signal)
    const timer = setTimeout(() => ended.kill('SIGKILL'), 2000)
    await once(ended, 'exit')
    clearTimeout(timer)
  }

  async #launch (): Promise<void> {
    const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
    for (;;) {
      this.#process = spawn('pgbouncer', ['-q', ...user, join(this.#folder, 'pgbouncer.ini')], { stdio: 'ignore' })
      running.add(this.#process)
      await once(this.#process, 'spawn')
      while (this.#process.exitCode === null) {
        if (await this.command('SHOW VERSION').then(() => true, () => false)) return
        await wait(10)
      }
    }
  }
}
