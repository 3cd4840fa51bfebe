import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmdirSync, rmSync, symlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres } from './start-postgres.js'
import { ignore } from '../../runtime/promises.js'

/** How an owner runs. The process that starts it passes these options. */
export interface OwnerOptions {
  /** The folder in which the processes of a run find the owner. Its symbolic link `current` leads to the folder of the current owner. */
  readonly sharedFolder: string
  /** The process that runs the tests. When it has ended, no other process will connect. */
  readonly runner: number
  /** How long PostgreSQL stays for the next process of the run. */
  readonly graceMillis: number
}

/** The parts that the process of an owner passes in. */
export interface OwnerHooks {
  readonly onListening: () => void
  readonly start?: typeof startPostgres
}

interface Clients {
  /** One connection for each process that uses PostgreSQL. */
  readonly sockets: Set<Socket>
  lastClosedAt: number
}

/** The answer to each process that connects, sent as one line of JSON. */
export interface OwnerAnswer {
  readonly connectionString?: string
  readonly error?: string
}

/**
 * Owns the PostgreSQL that all processes of a test run share. Each process stays connected to the owner until it ends, in any way.
 * PostgreSQL ends, and its files are removed, when no process has been connected for the grace time.
 *
 * Resolves after that, or at once when another owner is running. `onListening` is called as soon as processes may connect.
 */
export async function ownSharedServer (options: OwnerOptions, hooks: OwnerHooks): Promise<void> {
  const { sharedFolder } = options
  // PostgreSQL may run under another account, which must be able to enter.
  mkdirSync(sharedFolder, { recursive: true, mode: 0o711 })
  const folder = mkdtempSync(join(sharedFolder, 'run-'))
  chmodSync(folder, 0o711)
  const server = createServer().listen(join(folder, 'socket'))
  await once(server, 'listening')

  if (await becomeCurrent(folder, sharedFolder)) {
    await serve(server, folder, { ...options, ...hooks })
  }
  server.close()
  rmSync(folder, { recursive: true, force: true })
  removeSharedFolder(folder, sharedFolder)
}

/** Makes `folder` the current one, unless another owner answers. An owner listens before it becomes current, so one that does not answer is dead. */
async function becomeCurrent (folder: string, sharedFolder: string): Promise<boolean> {
  const current = join(sharedFolder, 'current')
  while (!linked(folder, current)) {
    const socket = await connectToOwner(current)
    socket?.destroy()
    if (socket !== undefined) return false
    rmSync(current, { force: true })
  }
  return true
}

function linked (folder: string, path: string): boolean {
  try {
    symlinkSync(folder, path)
    return true
  } catch {
    return false
  }
}

async function serve (server: Server, folder: string, { onListening, start = startPostgres, ...options }: OwnerOptions & OwnerHooks): Promise<void> {
  const clients: Clients = { sockets: new Set(), lastClosedAt: Date.now() }
  const starting = start({ folder: join(folder, 'postgres'), persistent: false })
  const answer = starting.then(
    ({ connectionString }): OwnerAnswer => ({ connectionString }),
    (error: Error): OwnerAnswer => ({ error: error.message })
  )
  server.on('connection', (socket) => {
    clients.sockets.add(socket)
    // A process that ended before it got its answer is not a failure.
    socket.on('error', ignore).on('close', () => noteClosed(clients, socket)).resume()
    answer.then((line) => socket.write(`${JSON.stringify(line)}\n`))
  })
  onListening()
  await removeDeadOwners(folder, options.sharedFolder)

  const postgres = await starting.catch(() => undefined)
  // Processes that connect now get the error. Later ones start a new owner.
  if (postgres === undefined) await untilUnused(clients, { ...options, graceMillis: 500 })
  else await Promise.race([untilUnused(clients, options), postgres.ended])

  // No new process may connect to a PostgreSQL that is stopping.
  server.close()
  await postgres?.stop()
  for (const socket of clients.sockets) socket.end()
}

function noteClosed (clients: Clients, socket: Socket): void {
  clients.sockets.delete(socket)
  clients.lastClosedAt = Date.now()
}

async function untilUnused (clients: Clients, { runner, graceMillis }: OwnerOptions): Promise<void> {
  while (clients.sockets.size > 0 || (Date.now() - clients.lastClosedAt < graceMillis && isAlive(runner))) await delay(100)
}

function isAlive (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // The process belongs to another account, and is alive.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Removes the folders of owners that were killed before they could remove them. */
async function removeDeadOwners (folder: string, sharedFolder: string): Promise<void> {
  for (const name of readdirSync(sharedFolder)) {
    if (!name.startsWith('run-') || name === basename(folder)) continue
    const socket = await connectToOwner(join(sharedFolder, name))
    socket?.destroy()
    if (socket === undefined) rmSync(join(sharedFolder, name), { recursive: true, force: true })
  }
}

function removeSharedFolder (folder: string, sharedFolder: string): void {
  try {
    if (readlinkSync(join(sharedFolder, 'current')) === folder) rmSync(join(sharedFolder, 'current'))
    rmdirSync(sharedFolder)
  } catch {
    // A folder that is not empty belongs to a newer owner.
  }
}

/** Connects to the owner that listens in `folder`. Returns `undefined` when there is none. */
export async function connectToOwner (folder: string): Promise<Socket | undefined> {
  const socket = connect(join(folder, 'socket'))
  try {
    await once(socket, 'connect')
    return socket
  } catch {
    return undefined
  }
}
