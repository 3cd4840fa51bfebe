import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { ownPath } from '../../runtime/package-folder.js'
import { connectToOwner, type OwnerAnswer, type OwnerOptions } from './shared-server-owner.js'
import { findBinaries } from './binaries.js'
import { shortHash } from './data-folder.js'

/** The PostgreSQL that all processes of a run share. */
export interface SharedPostgres {
  readonly connectionString: string
  /** Disconnects from the owner before this process ends. Resolves when the owner has closed the connection. */
  release (): Promise<void>
}

let shared: Promise<SharedPostgres> | undefined

/**
 * Returns the URL of the PostgreSQL that all processes started in this project folder share. The first process starts it. It ends after the last one.
 *
 * @throws Error when the binaries are missing or PostgreSQL does not start.
 */
export async function sharedPostgres (): Promise<string> {
  shared ??= joinRun({ sharedFolder: sharedFolderOf(process.cwd()), runner: process.ppid, graceMillis: 5000 }, () => { shared = undefined })
  return (await shared).connectionString
}

/** The same folder for all processes that have the same user, the same working folder and the same binaries. */
export function sharedFolderOf (folder: string): string {
  return join(tmpdir(), `data-access-${shortHash([userInfo().uid, folder, findBinaries()].join('\n'))}`)
}

/**
 * Connects to the owner, and starts one if there is none. `onEnd` is called when the owner has ended or cannot be started.
 *
 * @throws Error with PostgreSQL's own message when it does not start.
 */
export async function joinRun (options: OwnerOptions, onEnd: () => void): Promise<SharedPostgres> {
  const current = join(options.sharedFolder, 'current')
  for (let attempt = 0; attempt < 10; attempt++) {
    const owner = await connectToOwner(current)
    if (owner === undefined) {
      await startOwner(options)
      continue
    }
    owner.on('error', onEnd)
    const answer = await firstLine(owner)
    // An owner that closes the connection without an answer was about to end.
    if (answer === undefined) continue

    const { connectionString, error } = JSON.parse(answer) as OwnerAnswer
    owner.once('close', onEnd).resume().unref()
    if (connectionString === undefined) {
      owner.end()
      throw new Error(error)
    }
    return { connectionString, release: () => disconnect(owner) }
  }
  onEnd()
  const { sharedFolder } = options
  throw new Error(`The process that owns PostgreSQL for the tests does not start: is ${sharedFolder} a folder of yours that you may write to? Or set DATABASE_URL`)
}

async function disconnect (owner: Socket): Promise<void> {
  owner.ref().end()
  await once(owner, 'close')
}

/** Resolves when the new owner listens, or has ended because another owner was faster. */
async function startOwner (options: OwnerOptions): Promise<void> {
  const script = 'const [url, options] = process.argv.slice(1);' +
    'import(url).then(({ ownSharedServer }) => ownSharedServer(JSON.parse(options), { onListening: () => console.log("listening") }))'
  const moduleUrl = ownerFor(import.meta.url)
  // Settings of the test's process (coverage, a debugger) must not reach a process that outlives it.
  const child = spawn('env', [
    '-u', 'NODE_OPTIONS', '-u', 'NODE_V8_COVERAGE',
    process.execPath, ...loaderFor(moduleUrl), '-e', script, moduleUrl, JSON.stringify(options)
  ], { cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
  child.unref()
  await firstLine(child.stdout)
  child.stdout.destroy()
}

/** The first line of `stream`, `undefined` when it ends before. */
async function firstLine (stream: Readable): Promise<string | undefined> {
  const lines = createInterface({ input: stream })[Symbol.asyncIterator]()
  const first = await lines.next()
  await lines.return?.()
  return first.value
}

/** The module of the owner: a source for a source, and the published one for published code, which is bundled, so that it may lie in any file. */
export function ownerFor (moduleUrl: string): string {
  const extension = extensionOf(moduleUrl)
  return pathToFileURL(ownPath(`${extension === '.js' ? 'dist/' : ''}src/testing/postgres/shared-server-owner${extension}`)).href
}

/** `.js` for the published JavaScript, `.ts` for its TypeScript sources. */
function extensionOf (moduleUrl: string): string {
  return moduleUrl.slice(moduleUrl.lastIndexOf('.'))
}

/** Node's arguments to load a module. Node 20 reads TypeScript only through a loader. */
export function loaderFor (moduleUrl: string): string[] {
  if (extensionOf(moduleUrl) === '.js') return []
  return ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
}
