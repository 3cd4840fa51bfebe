import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmdirSync, rmSync, symlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres } from './start-postgres.js'
import { ignore } from '../../runtime/promises.js'

/** What a keeper is told by the process that starts it. */
export interface OwnerOptions {
  /** The folder in which the processes of a run find their keeper: its symbolic link `current` leads to the folder of the living one. */
  readonly meetingPoint: string
  /** The process that runs the tests: when it has ended, nobody else will come. */
  readonly runner: number
  /** How long PostgreSQL waits for the next process of the run. */
  readonly graceMillis: number
}

/** What happens inside the process that keeps. */
export interface OwnerHooks {
  readonly onListening: () => void
  readonly start?: typeof startPostgres
}

interface Visits {
  /** One connection for each process that uses PostgreSQL. */
  readonly guests: Set<Socket>
  lastLeftAt: number
}

/** What a keeper tells each process that connects, as one line of JSON. */
export interface OwnerAnswer {
  readonly connectionString?: string
  readonly error?: string
}

/**
 * Owns the PostgreSQL that all processes of a test run share. Each of them holds a connection to the keeper for as long as it lives, however it ends;
 * when the last one is gone and no other came within the grace time, PostgreSQL ends, and nothing of it stays on the disk.
 *
 * Resolves when all that has happened, or at once when there is another keeper already. `onListening` is called as soon as processes may connect.
 */
export async function keep (options: OwnerOptions, hooks: OwnerHooks): Promise<void> {
  const { meetingPoint } = options
  // PostgreSQL may run under another account, which must be able to walk through.
  mkdirSync(meetingPoint, { recursive: true, mode: 0o711 })
  const folder = mkdtempSync(join(meetingPoint, 'run-'))
  chmodSync(folder, 0o711)
  const server = createServer().listen(join(folder, 'socket'))
  await once(server, 'listening')

  if (await becomeCurrent(folder, meetingPoint)) {
    await serve(server, folder, { ...options, ...hooks })
  }
  server.close()
  rmSync(folder, { recursive: true, force: true })
  tidyUp(folder, meetingPoint)
}

/** Makes `folder` the current one, unless another keeper answers already. A keeper listens before it becomes current: silence means that it is dead. */
async function becomeCurrent (folder: string, meetingPoint: string): Promise<boolean> {
  const current = join(meetingPoint, 'current')
  while (!linked(folder, current)) {
    const guest = await knock(current)
    guest?.destroy()
    if (guest !== undefined) return false
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
  const visits: Visits = { guests: new Set(), lastLeftAt: Date.now() }
  const starting = start({ folder: join(folder, 'postgres'), persistent: false })
  const answer = starting.then(
    ({ connectionString }): OwnerAnswer => ({ connectionString }),
    (error: Error): OwnerAnswer => ({ error: error.message })
  )
  server.on('connection', (guest) => {
    visits.guests.add(guest)
    // One that has gone before it got its answer is no failure.
    guest.on('error', ignore).on('close', () => leave(visits, guest)).resume()
    answer.then((line) => guest.write(`${JSON.stringify(line)}\n`))
  })
  onListening()
  await removeTheDead(folder, options.meetingPoint)

  const postgres = await starting.catch(() => undefined)
  // A failure is told to those who are on their way; who comes later tries again.
  if (postgres === undefined) await untilAlone(visits, { ...options, graceMillis: 500 })
  else await Promise.race([untilAlone(visits, options), postgres.ended])

  // From here on nobody gets in any more to be told of a PostgreSQL that is going away.
  server.close()
  await postgres?.stop()
  for (const guest of visits.guests) guest.end()
}

function leave (visits: Visits, guest: Socket): void {
  visits.guests.delete(guest)
  visits.lastLeftAt = Date.now()
}

async function untilAlone (visits: Visits, { runner, graceMillis }: OwnerOptions): Promise<void> {
  while (visits.guests.size > 0 || (Date.now() - visits.lastLeftAt < graceMillis && isAlive(runner))) await delay(100)
}

function isAlive (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // The process of another account is alive, too.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Folders of keepers that were killed together with everything that could have tidied up after them. */
async function removeTheDead (folder: string, meetingPoint: string): Promise<void> {
  for (const name of readdirSync(meetingPoint)) {
    if (!name.startsWith('run-') || name === basename(folder)) continue
    const guest = await knock(join(meetingPoint, name))
    guest?.destroy()
    if (guest === undefined) rmSync(join(meetingPoint, name), { recursive: true, force: true })
  }
}

function tidyUp (folder: string, meetingPoint: string): void {
  try {
    if (readlinkSync(join(meetingPoint, 'current')) === folder) rmSync(join(meetingPoint, 'current'))
    rmdirSync(meetingPoint)
  } catch {
    // What cannot be removed belongs to a keeper that came later.
  }
}

/** A connection to the keeper that listens in `folder`, `undefined` when there is none. */
export async function knock (folder: string): Promise<Socket | undefined> {
  const guest = connect(join(folder, 'socket'))
  try {
    await once(guest, 'connect')
    return guest
  } catch {
    return undefined
  }
}
