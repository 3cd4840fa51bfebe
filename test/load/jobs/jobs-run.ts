import { setTimeout as wait } from 'node:timers/promises'
import { openDatabase } from '../../../src/index.js'
import { projectRoot } from '../../house/source-files.js'
import { startProxy } from '../../helpers/proxy.js'
import { startTransactionPooler } from '../../helpers/transaction-pooler.js'
import { Cluster } from '../crash/cluster.js'
import { keptAlive } from '../crash/client.js'
import { happens } from '../crash/faults.js'
import { Journal } from '../crash/journal.js'
import { Load } from '../crash/load.js'
import { Program } from '../crash/program.js'
import { seeded } from '../crash/random.js'
import { Witness } from '../crash/witness.js'
import { jobs } from './library.js'
import { openToClerk, tables } from './tables.js'
import { judge } from './verdict.js'
import type { AppOptions } from './app.js'
import type { Library } from './library.js'
import type { Verdict } from './verdict.js'
import type { WorkerProcessOptions } from './worker.js'

/** A run, until so many jobs were acknowledged, or the time is over. */
export interface JobsOptions {
  readonly library: Library
  readonly jobs: number
  readonly seconds: number
  readonly seed: number
}

/** The result of a run. */
export interface JobsResult {
  readonly library: Library
  readonly seconds: number
  readonly journal: Journal
  readonly verdict: Verdict
  /** How often each fault has struck. */
  readonly struck: ReadonlyMap<string, number>
  /** The words with which processes have ended by themselves. */
  readonly crashes: readonly string[]
  readonly hung: number
  /** The jobs that were left when the time to handle them was over. */
  readonly left: number
}

/** The requests: their weights, relative to one another. */
const operations = Object.entries({ plain: 6, retried: 1, nested: 2, context: 2, refused: 1, dry: 1, swallowed: 1 })
  .map(([kind, weight]) => ({ kind, weight, hasRight: true }))
const withoutJob = ['refused', 'dry', 'swallowed']

/** A fault strikes when so many jobs more were added, or after this time in milliseconds, so that a slow machine does some work, too. */
const peace = { jobs: 200, millis: 20_000 }

/** The longest time for all jobs to be handled after the last fault, in milliseconds. */
const drainMillis = 300_000

interface Scene {
  readonly cluster: Cluster
  /** A server that is reached directly, through a network that fails, and one behind a pooler. */
  readonly apps: readonly [Program, Program]
  readonly workers: readonly [Program, Program]
  readonly strikes: ReadonlyArray<readonly [title: string, strike: () => Promise<unknown>]>
  readonly loads: readonly Load[]
  readonly journal: Journal
}

type End = () => Promise<unknown>

/** Adds jobs with requests while servers, workers and backends are killed, and compares replies, rows and what workers did. */
export async function jobsRun (options: JobsOptions): Promise<JobsResult> {
  const ends: End[] = []
  try {
    return await rage(options, await setUp(options, ends))
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

async function setUp ({ library, seed }: JobsOptions, ends: End[]): Promise<Scene> {
  const cluster = await Cluster.start()
  ends.push(() => cluster.stop())
  await cluster.query(tables)
  const database = await openDatabase({ connectionString: cluster.connectionString })
  await jobs[library].install(database)
  await database.query(openToClerk[library])
  await database.close()
  const test = { teardown: (end: End) => ends.push(end) }
  const proxy = await startProxy(test, cluster.connectionString)
  const pooler = await startTransactionPooler(test, cluster.connectionString)
  const start = (path: string, env: Readonly<Record<string, string>>): Program => {
    const program = new Program({ path: `test/load/jobs/${path}`, folder: projectRoot, env })
    ends.push(() => program.stop())
    return program
  }
  const app = (options: AppOptions): Program => start('app.ts', { APP: JSON.stringify(options) })
  const worker = (options: WorkerProcessOptions): Program => start('worker.ts', { WORKER: JSON.stringify(options) })
  const apps = [
    app({ library, connectionString: proxy.connectionString, pooler: 'none' }),
    app({ library, connectionString: pooler.connectionString, pooler: 'transaction' })
  ] as const
  const { connectionString } = cluster
  const workers = [worker({ library, connectionString, name: 'one' }), worker({ library, connectionString, name: 'two' })] as const
  await Promise.all([...apps, ...workers].map(({ port }) => port))
  const [journal, witness, random] = [new Journal(), new Witness(cluster), seeded(seed)]
  ends.push(() => witness.close())
  const loads = apps.map((program) => new Load({ operations, workers: 8, pauseMillis: 0, lookEvery: Infinity }, { program, journal, witness, random }))
  for (const load of loads) ends.push(() => load.stop())
  const strikes: Scene['strikes'] = [
    ['server killed', () => apps[0].kill()],
    ['worker killed', () => workers[0].kill()],
    ['answer to COMMIT lost', () => happens(proxy.loseAnswer('commit', 'cut'))],
    ['worker killed', () => workers[1].kill()],
    ['server behind the pooler killed', () => apps[1].kill()],
    ['all backends terminated', async () => {
      await cluster.query('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [await cluster.backends()])
    }],
    ['COMMIT lost', () => happens(proxy.loseRequest('commit', 'reset'))],
    ['worker killed', () => workers[0].kill()],
    ['pooler restarted', async () => pooler.restart()],
    ['worker killed', () => workers[1].kill()],
    ['PostgreSQL killed', () => cluster.killPostmaster()]
  ]
  return { cluster, apps, workers, strikes, loads, journal }
}

async function rage (options: JobsOptions, { cluster, apps, workers, strikes, loads, journal }: Scene): Promise<JobsResult> {
  const startedAt = performance.now()
  const elapsed = (): number => (performance.now() - startedAt) / 1000
  const struck = new Map<string, number>()
  const added = (): number => journal.counts.acknowledged - withoutJob.reduce((sum, kind) => sum + journal.count(kind, 'acknowledged'), 0)
  for (const load of loads) load.start()
  for (let turn = 0; added() < options.jobs && elapsed() < options.seconds; turn++) {
    const [before, from] = [added(), performance.now()]
    while (added() < before + peace.jobs && performance.now() < from + peace.millis) await wait(50)
    const [title, strike] = strikes[turn % strikes.length] as Scene['strikes'][number]
    const isStruck = await strike().then(() => true, () => false)
    if (isStruck) struck.set(title, (struck.get(title) ?? 0) + 1)
    await cluster.back()
    console.log(`${options.library}: ${added()} jobs added after ${Math.round(elapsed())} s; ${title}`)
  }
  await Promise.all(loads.map((load) => load.stop()))
  keptAlive.destroy()
  const left = await drain(options.library, cluster)
  return {
    library: options.library,
    seconds: elapsed(),
    journal,
    verdict: await judge(cluster, journal),
    struck,
    crashes: [...apps, ...workers].flatMap(({ crashes }) => crashes.map(({ words }) => words)),
    hung: loads.reduce((sum, { hung }) => sum + hung, 0),
    left
  }
}

/** Waits until all jobs are handled; those of killed workers are freed whenever nothing happens any more. */
async function drain (library: Library, cluster: Cluster): Promise<number> {
  const { left, free } = jobs[library]
  const database = await openDatabase({ connectionString: cluster.connectionString })
  try {
    const giveUpAt = performance.now() + drainMillis
    let before = NaN
    for (;;) {
      const now = await left(database)
      if (now === 0 || performance.now() > giveUpAt) return now
      if (now === before) await free(database)
      before = now
      await wait(3000)
    }
  } finally {
    await database.close()
  }
}
