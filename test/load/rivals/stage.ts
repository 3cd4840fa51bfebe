import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { startProxy } from '../../helpers/proxy.js'
import { projectRoot } from '../../house/source-files.js'
import { send } from '../crash/client.js'
import { Program } from '../crash/program.js'
import { tables } from '../crash/tables.js'
import { until } from '../../helpers/until.js'
import { spellings } from './ways.js'
import type { Cluster } from '../crash/cluster.js'
import type { Proxy } from '../../helpers/proxy.js'
import type { SubjectOptions } from './subject.js'
import type { WayName } from './ways.js'

/** The reply to a client, in few words: `201`, `503 DB_CONNECTION`, `no reply`. */
export type Told = string

/** A server, its database, and the network between them. */
export class Stage {
  readonly cluster: Cluster
  readonly proxy: Proxy
  readonly program: Program
  /** The server's spelling of COMMIT and BEGIN. */
  readonly words: (typeof spellings)[WayName]
  readonly #ends: Array<() => Promise<unknown>>

  private constructor (cluster: Cluster, way: WayName, { proxy, ends }: { proxy: Proxy, ends: Array<() => Promise<unknown>> }) {
    this.cluster = cluster
    this.proxy = proxy
    this.#ends = ends
    this.words = spellings[way]
    const env = { SUBJECT: JSON.stringify({ way, connectionString: proxy.connectionString } satisfies SubjectOptions) }
    this.program = new Program({ path: 'test/load/rivals/subject.ts', folder: projectRoot, env })
  }

  /** A new server over empty tables. */
  static async open (cluster: Cluster, way: WayName): Promise<Stage> {
    await cluster.query(`drop table if exists rights, lefts, accounts, counters; ${tables}`)
    const ends: Array<() => Promise<unknown>> = []
    const proxy = await startProxy({ teardown: (fn) => ends.push(fn) }, cluster.connectionString)
    const stage = new Stage(cluster, way, { proxy, ends })
    await stage.program.port
    return stage
  }

  async post (path: string): Promise<Told> {
    const reply = await send(await this.program.port, path)
    if (reply === undefined) return 'no reply'
    if (reply === 'hung') return 'no end'
    const { code } = JSON.parse(reply.body) as { code?: string }
    return code === undefined ? `${reply.status}` : `${reply.status} ${code}`
  }

  /** Resumes the held handlers. */
  async go (): Promise<void> {
    await send(await this.program.port, '/go', 'GET')
  }

  /** Sends a request whose client can leave. */
  async visit (path: string): Promise<{ leave (): void }> {
    const socket = connect(await this.program.port, '127.0.0.1')
    socket.on('error', () => {}).write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n`)
    return { leave: () => { socket.destroy() } }
  }

  /** The backends of the server in a state, by its name in `pg_stat_activity`. */
  async inState (state: string): Promise<number[]> {
    const rows = await this.cluster.query<{ pid: number }>(
      "select pid from pg_stat_activity where backend_type = 'client backend' and application_name <> 'driver' and state = $1", [state])
    return rows.map(({ pid }) => pid)
  }

  /** Resolves with a backend that is in that state, as soon as there is one. */
  async backendIn (state: string): Promise<number> {
    let found: number | undefined
    await until(async () => {
      [found] = await this.inState(state)
      return found !== undefined
    })
    return Number(found)
  }

  /** Ends a backend; resolves when it is gone. */
  async terminate (pid: number): Promise<void> {
    await this.cluster.query('select pg_terminate_backend($1)', [pid])
    await until(async () => (await this.cluster.query('select from pg_stat_activity where pid = $1', [pid])).length === 0)
  }

  /** Resolves when no statement and no transaction of the server is running. */
  async quiet (): Promise<void> {
    await until(async () => [
      ...await this.inState('active'),
      ...await this.inState('idle in transaction'),
      ...await this.inState('idle in transaction (aborted)')
    ].length === 0)
  }

  /** The stored rows of an operation: `nothing`, `left`, `right` or `both`. */
  async rows (id: number): Promise<'nothing' | 'left' | 'right' | 'both'> {
    const [left, right] = await Promise.all(['lefts', 'rights'].map((table) => this.cluster.query(`select from ${table} where id = $1`, [id])))
    if (left?.length === 0) return right?.length === 0 ? 'nothing' : 'right'
    return right?.length === 0 ? 'left' : 'both'
  }

  /** The number of connections that are checked out; resolves when the server answers, if necessary after a restart. */
  async inUse (): Promise<number> {
    for (;;) {
      const reply = await send(await this.program.port, '/in-use', 'GET')
      if (reply !== undefined && reply !== 'hung') return (JSON.parse(reply.body) as { inUse: number }).inUse
      await wait(20)
    }
  }

  async close (): Promise<void> {
    await this.program.stop()
    for (const end of this.#ends) await end()
  }
}
