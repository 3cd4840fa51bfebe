import { setTimeout as wait } from 'node:timers/promises'
import { projectRoot } from '../../house/source-files.js'
import { startProxy } from '../../helpers/proxy.js'
import { spellings } from '../rivals/ways.js'
import { keptAlive, send } from './client.js'
import { Cluster } from './cluster.js'
import { failOverFaults } from './fail-over-faults.js'
import { faults } from './faults.js'
import { Journal } from './journal.js'
import { Load } from './load.js'
import { ownOperations, plainOperations } from './operations.js'
import { Pair } from './pair.js'
import { Program } from './program.js'
import { seeded } from './random.js'
import { strikeAll, Toll } from './schedule.js'
import { tables } from './tables.js'
import { judge } from './verdict.js'
import { Witness } from './witness.js'
import type { WayName } from '../rivals/ways.js'
import type { Fault, Site } from './faults.js'
import type { Crash } from './program.js'
import type { SubjectOptions } from './subject-routes.js'
import type { Verdict } from './verdict.js'
import type { Finding } from './witness.js'

/** The subject of a run, and its duration. */
export interface CrashOptions {
  readonly subject?: WayName
  readonly commit?: SubjectOptions['commit']
  /** The kind of the standby that takes over behind the same address, if there is one; commits are then resolved. */
  readonly standby?: 'synchronous' | 'asynchronous'
  /** The root of a copy of the project with a bug in it. */
  readonly folder?: string
  readonly seed: number
  /** How long faults strike; with {@link CrashOptions.turns}, the upper limit. */
  readonly seconds: number
  /** The number of faults. */
  readonly turns?: number
  /** The only fault that strikes, by its title. */
  readonly fault?: string
  /** Whether the run ends with the first broken promise. */
  readonly endsWithFinding?: boolean
}

/** The result of a run. */
export interface CrashResult {
  readonly seconds: number
  readonly journal: Journal
  readonly toll: Toll
  readonly verdict: Verdict
  /** The broken promises that were seen during the run, and the seconds until the first. */
  readonly findings: readonly Finding[]
  readonly foundAfterSeconds: number | undefined
  readonly looked: number
  readonly crashes: readonly Crash[]
  readonly hung: number
  readonly idleInTransaction: number
  readonly leaked: number
  readonly closedInOrder: boolean
}

/** The longest time for the cleanup at the end, in milliseconds: silent connections end by PostgreSQL's own limits. */
const graceMillis = 10_000

/** The parts of a run. */
interface Scene extends Site {
  readonly faults: readonly Fault[]
  readonly journal: Journal
  readonly witness: Witness
  readonly load: Load
  readonly toll: Toll
}

type End = () => Promise<unknown>

/** Runs a server under load while everything around it fails, and reports whether its promises held. */
export async function crashRun (options: CrashOptions): Promise<CrashResult> {
  const ends: End[] = []
  try {
    const scene = await setUp(options, ends)
    return await inspect(scene, await rage(scene, options))
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

/** Starts all parts, and records how to stop each. */
async function setUp (
  { subject = 'fastify-data-access', commit = 'onSend', standby, folder = projectRoot, seed, endsWithFinding = false }: CrashOptions,
  ends: End[]
): Promise<Scene> {
  const pair = standby && await Pair.start({ isSynchronous: standby === 'synchronous' })
  const cluster = pair ?? await Cluster.start()
  ends.push(() => cluster.stop())
  await cluster.query(tables)
  const proxy = await startProxy({ teardown: (fn) => ends.push(fn) }, cluster.connectionString)
  const options: SubjectOptions = { kind: subject, commit, resolveCommits: pair !== undefined, connectionString: proxy.connectionString }
  const env = { SUBJECT: JSON.stringify(options) }
  const program = new Program({ path: 'test/load/crash/subject.ts', folder, env })
  ends.push(() => program.stop())
  const [journal, witness, random] = [new Journal(), new Witness(cluster), seeded(seed)]
  ends.push(() => witness.close())
  const load = new Load({
    operations: subject === 'fastify-data-access' ? ownOperations : plainOperations,
    workers: 10,
    pauseMillis: 80,
    lookEvery: endsWithFinding ? 1 : 4
  }, { program, journal, witness, random })
  ends.push(() => load.stop())
  await program.port
  return {
    faults: pair === undefined ? faults : failOverFaults(pair),
    cluster,
    proxy,
    program,
    random,
    commit: spellings[subject].commit,
    journal,
    witness,
    load,
    toll: new Toll()
  }
}

/** Lets faults strike for the wanted time; resolves with the time taken, and the time of the first broken promise. */
async function rage (
  scene: Scene,
  { fault, seconds, turns = Infinity, endsWithFinding = false }: CrashOptions
): Promise<Pick<CrashResult, 'seconds' | 'foundAfterSeconds'>> {
  const { faults, witness, program, load, toll } = scene
  const startedAt = performance.now()
  const elapsed = (): number => (performance.now() - startedAt) / 1000
  let foundAfterSeconds: number | undefined
  const goesOn = (turn: number): boolean => {
    const isFound = witness.findings.length > 0 || program.crashes.length > 0
    if (isFound) foundAfterSeconds ??= elapsed()
    return elapsed() < seconds && turn < turns && !(isFound && endsWithFinding)
  }
  load.start()
  await strikeAll(faults.filter(({ title }) => fault === undefined || title === fault), scene, { load, toll, goesOn })
  await load.stop()
  return { seconds: elapsed(), foundAfterSeconds }
}

/** After the last fault, checks for leaks, and compares the replies with the rows in the database. */
async function inspect (
  { cluster, proxy, program, journal, witness, load, toll }: Scene,
  duration: Pick<CrashResult, 'seconds' | 'foundAfterSeconds'>
): Promise<CrashResult> {
  await proxy.resume()
  await cluster.back()
  const leaked = await eventuallyNone(() => inUse(program))
  const idleInTransaction = await eventuallyNone(() => openTransactions(cluster))
  keptAlive.destroy()
  const closedInOrder = await program.stop()
  return {
    ...duration,
    journal,
    toll,
    verdict: await judge(cluster, journal),
    findings: witness.findings,
    looked: witness.looked,
    crashes: program.crashes,
    hung: load.hung,
    idleInTransaction,
    leaked,
    closedInOrder
  }
}

/** Counts again until the result is 0 or the time is over. */
async function eventuallyNone (count: () => Promise<number>): Promise<number> {
  const giveUpAt = performance.now() + graceMillis
  for (;;) {
    const left = await count()
    if (left === 0 || performance.now() > giveUpAt) return left
    await wait(100)
  }
}

async function inUse (program: Program): Promise<number> {
  const reply = await send(await program.port, '/in-use', 'GET')
  if (reply === undefined || reply === 'hung' || !reply.isWhole) return NaN
  return (JSON.parse(reply.body) as { inUse: number }).inUse
}

async function openTransactions (cluster: Cluster): Promise<number> {
  return (await cluster.query("select from pg_stat_activity where state like 'idle in transaction%'")).length
}
