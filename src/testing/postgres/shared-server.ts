import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { knock, type OwnerAnswer, type OwnerOptions } from './shared-server-owner.js'
import { findBinaries } from './binaries.js'
import { shortHash } from './data-folder.js'

/** The PostgreSQL that this process uses together with the others of a run. */
export interface SharedPostgres {
  readonly connectionString: string
  /** Lets it go before this process ends; resolves when the keeper knows. */
  release (): Promise<void>
}

let shared: Promise<SharedPostgres> | undefined

/**
 * The URL of a PostgreSQL that all processes started in this project folder share: the first one starts it, and it ends when the last one has ended.
 *
 * @throws Error when the binaries are missing or PostgreSQL does not start.
 */
export async function sharedPostgres (): Promise<string> {
  shared ??= joinRun({ meetingPoint: meetingPointOf(process.cwd()), runner: process.ppid, graceMillis: 5000 }, () => { shared = undefined })
  return (await shared).connectionString
}

/** Processes meet when they belong to the same user, were started in the same folder, and would start the same binaries. */
export function meetingPointOf (folder: string): string {
  return join(tmpdir(), `data-access-${shortHash([userInfo().uid, folder, findBinaries()].join('\n'))}`)
}

/**
 * Finds the keeper at the meeting point, or starts one. `onEnd` is called when the keeper is gone, or never was.
 *
 * @throws Error with PostgreSQL's own words when it does not start.
 */
export async function joinRun (options: OwnerOptions, onEnd: () => void): Promise<SharedPostgres> {
  const current = join(options.meetingPoint, 'current')
  for (let attempt = 0; attempt < 10; attempt++) {
    const owner = await knock(current)
    if (owner === undefined) {
      await startKeeper(options)
      continue
    }
    owner.on('error', onEnd)
    const answer = await firstLine(owner)
    // A keeper that hangs up without a word was about to go.
    if (answer === undefined) continue

    const { connectionString, error } = JSON.parse(answer) as OwnerAnswer
    owner.once('close', onEnd).resume().unref()
    if (connectionString === undefined) {
      owner.end()
      throw new Error(error)
    }
    return { connectionString, release: () => hangUp(owner) }
  }
  onEnd()
  throw new Error(`The process that keeps PostgreSQL for the tests does not start: is ${options.meetingPoint} a folder of your own that you may write to? Or set DATABASE_URL`)
}

async function hangUp (owner: Socket): Promise<void> {
  owner.ref().end()
  await once(owner, 'close')
}

/** Resolves when the new keeper may be asked, or has ended because another one was faster. */
async function startKeeper (options: OwnerOptions): Promise<void> {
  const script = 'const [url, options] = process.argv.slice(1); import(url).then(({ keep }) => keep(JSON.parse(options), { onListening: () => console.log("listening") }))'
  const moduleUrl = new URL(`./shared-server-owner${extensionOf(import.meta.url)}`, import.meta.url).href
  // Settings for the test's own process (coverage, a debugger) must not follow into one that outlives it.
  const child = spawn('env', [
    '-u', 'NODE_OPTIONS', '-u', 'NODE_V8_COVERAGE',
    process.execPath, ...loaderFor(moduleUrl), '-e', script, moduleUrl, JSON.stringify(options)
  ], { cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
  child.unref()
  await firstLine(child.stdout)
  child.stdout.destroy()
}

/** The first line that `stream` brings, `undefined` when it ends before. */
async function firstLine (stream: Readable): Promise<string | undefined> {
  const lines = createInterface({ input: stream })[Symbol.asyncIterator]()
  const first = await lines.next()
  await lines.return?.()
  return first.value
}

/** Whether this runs as the published JavaScript or from its TypeScript sources. */
function extensionOf (moduleUrl: string): string {
  return moduleUrl.slice(moduleUrl.lastIndexOf('.'))
}

/** Node's arguments to load a module: Node 20 reads TypeScript only through a loader. */
export function loaderFor (moduleUrl: string): string[] {
  if (extensionOf(moduleUrl) === '.js') return []
  return ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
}
