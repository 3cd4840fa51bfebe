import { setTimeout as wait } from 'node:timers/promises'
import { projectRoot } from '../../house/source-files.js'
import { queryOnce } from '../../helpers/backend.js'
import { startProxy } from '../../helpers/proxy.js'
import { until } from '../../helpers/until.js'
import { keptAlive } from '../crash/client.js'
import { Journal } from '../crash/journal.js'
import { Load } from '../crash/load.js'
import { ownOperations } from '../crash/operations.js'
import { Pair } from '../crash/pair.js'
import { Program } from '../crash/program.js'
import { seeded } from '../crash/random.js'
import { tables } from '../crash/tables.js'
import { judge } from '../crash/verdict.js'
import { Witness } from '../crash/witness.js'
import type { Proxy } from '../../helpers/proxy.js'
import type { SubjectOptions } from '../crash/subject-routes.js'

/** The kind of a run. */
export interface FailoverOptions {
  /** Whether the URL names both servers, or one address that is switched to the new primary. */
  readonly way: 'hosts' | 'address'
  readonly replication: 'synchronous' | 'asynchronous'
  readonly seed: number
  /** The number of promotions. */
  readonly turns: number
}

/** The result of a run; the lists name operations. */
export interface FailoverResult {
  readonly acknowledged: number
  readonly refused: number
  readonly unknown: number
  readonly ghosts: readonly string[]
  readonly halves: readonly string[]
  /** Acknowledged, and not on the new primary although the standby had it. */
  readonly lost: readonly string[]
  /** Acknowledged by a primary that was killed before the standby had it. */
  readonly unreplicated: readonly string[]
  /** What clients saw broken at once. */
  readonly findings: readonly string[]
  /** The times from each promotion to the first reply to a request sent since then, in milliseconds; undefined is never. */
  readonly servedAfter: ReadonlyArray<number | undefined>
  readonly closedInOrder: boolean
}

/** How a primary ends; each once, in turn. */
const ends = ['killed', 'stopped', 'read-only'] as const

/** How long the load runs before each promotion, and how long a server that has become read-only stays alone, in milliseconds. */
const peaceMillis = 1500
const alonenessMillis = 300
const patienceMillis = 15_000

/** Promotes standbys under load, and compares every reply with what the last primary has. */
export async function failoverRun ({ way, replication, seed, turns }: FailoverOptions): Promise<FailoverResult> {
  const teardowns: Array<() => unknown> = []
  const onEnd = { teardown: (fn: () => unknown) => { teardowns.push(fn) } }
  const pair = await Pair.start({ isSynchronous: replication === 'synchronous' })
  onEnd.teardown(() => pair.stop())
  try {
    await pair.query(tables)
    const addresses = await addressesOf(onEnd, pair, way)
    const options: SubjectOptions = { kind: 'fastify-data-access', commit: 'onSend', resolveCommits: true, connectionString: addresses.connectionString }
    const program = new Program({ path: 'test/load/crash/subject.ts', folder: projectRoot, env: { SUBJECT: JSON.stringify(options) } })
    onEnd.teardown(() => program.stop())
    const [journal, witness, random] = [new Journal(), new Witness(pair), seeded(seed)]
    onEnd.teardown(() => witness.close())
    // Without synchronous replication, an acknowledged row may be missing on the new primary.
    const lookEvery = replication === 'synchronous' ? 4 : Number.MAX_SAFE_INTEGER
    const load = new Load({ operations: ownOperations, workers: 10, pauseMillis: 80, lookEvery }, { program, journal, witness, random })
    onEnd.teardown(() => load.stop())
    await program.port
    load.start()
    const had = new Set<number>()
    const servedAfter: Array<number | undefined> = []
    for (let turn = 0; turn < turns; turn++) {
      await wait(peaceMillis)
      const end = ends[turn % ends.length]
      const old = pair.server
      if (end === 'killed') await pair.kill()
      else if (end === 'stopped') await pair.stopPrimary()
      else await makeReadOnly(pair)
      for (const id of await standbyIds(pair)) had.add(id)
      let served: Promise<number | undefined> = Promise.resolve(undefined)
      let from = 0
      const watch = (): void => {
        from = performance.now()
        served = load.nextSuccess(patienceMillis)
      }
      await pair.takeOver(async () => {
        addresses.promoted()
        if (replication === 'asynchronous') watch()
        if (end === 'read-only') {
          // The old primary still answers: its connections must be left because it refuses writes.
          if (replication === 'asynchronous') await served
          process.kill(old.pid, 'SIGKILL')
          await old.ended
        }
      })
      await addresses.joined()
      // A synchronous primary acknowledges nothing until it has a standby of its own.
      if (replication === 'synchronous') watch()
      const at = await served
      servedAfter.push(at === undefined ? undefined : at - from)
    }
    await wait(peaceMillis)
    await load.stop()
    keptAlive.destroy()
    const closedInOrder = await program.stop()
    const { lost, ghosts, halves } = await judge(pair, journal)
    const isHad = (name: string): boolean => had.has(Number(name.split(' ')[1]))
    return {
      ...journal.counts,
      ghosts,
      halves,
      lost: lost.filter(isHad),
      unreplicated: lost.filter((name) => !isHad(name)),
      findings: witness.findings.map(({ text }) => text),
      servedAfter,
      closedInOrder: closedInOrder && program.crashes.length === 0
    }
  } finally {
    for (const teardown of teardowns.reverse()) await teardown()
  }
}

async function makeReadOnly (pair: Pair): Promise<void> {
  await pair.query('alter system set default_transaction_read_only = on')
  await pair.query('select pg_reload_conf()')
  await wait(alonenessMillis)
  await pair.standby.level()
}

/** The rows that a standby has, after it has replayed all that it received. */
async function standbyIds ({ standby: { connectionString } }: Pair): Promise<number[]> {
  const level = 'select from pg_last_wal_replay_lsn() as replayed where replayed >= pg_last_wal_receive_lsn()'
  await until(async () => (await queryOnce(connectionString, level)).length === 1)
  return (await queryOnce<{ id: number }>(connectionString, 'select id from lefts')).map(({ id }) => id)
}

/** The addresses of the servers, as the subject knows them. */
interface Addresses {
  readonly connectionString: string
  /** The standby has become the primary. */
  promoted (): void
  /** The new primary has a standby. */
  joined (): Promise<void>
}

async function addressesOf (t: { teardown (fn: () => unknown): void }, pair: Pair, way: FailoverOptions['way']): Promise<Addresses> {
  const primary = await startProxy(t, pair.connectionString)
  if (way === 'address') {
    return { connectionString: primary.connectionString, promoted: () => primary.leadTo(pair.connectionString), joined: async () => {} }
  }
  const proxies: [Proxy, Proxy] = [primary, await startProxy(t, pair.standby.connectionString)]
  const url = new URL(pair.connectionString)
  const hosts = proxies.map(({ port }) => `127.0.0.1:${port}`).join(',')
  return {
    connectionString: `postgresql://${url.username}:${url.password}@${hosts}${url.pathname}?target_session_attrs=read-write`,
    promoted: () => { proxies.reverse() },
    // The machine of the old primary gets the new standby.
    joined: async () => { proxies[1].leadTo(pair.standby.connectionString) }
  }
}
