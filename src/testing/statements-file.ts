import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { addStatement, emptyLock, formatLock, parseLock } from '../migrations/prove/lock/statement-lock.js'
import type { StatementLock } from '../migrations/prove/lock/statement-lock.js'

/** After this time, in milliseconds, the process that writes the file was killed. Writing takes a few. */
const staleMillis = 5000

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** The statements of a file; none if it does not exist. */
export function readLock (file: string): StatementLock {
  return existsSync(file) ? parseLock(readFileSync(file, 'utf8')) : emptyLock()
}

/**
 * Adds statements to a file, each with its table, and returns all that it has now. Any number of processes and threads may do this at once. It does not await
 * anything, so that it works at the end of a process, too.
 */
export function addToLock (file: string, statements: ReadonlyMap<string, string | undefined>, migration: string | undefined): StatementLock {
  const guard = `${file}.writing`
  take(guard)
  try {
    const lock = readLock(file)
    const isMoved = migration !== undefined && lock.migration !== migration
    if (isMoved) lock.migration = migration
    const added = [...statements].filter(([text, table]) => addStatement(lock, text, table))
    if (isMoved || added.length > 0) {
      const next = `${file}.new`
      writeFileSync(next, formatLock(lock))
      renameSync(next, file)
    }
    return lock
  } finally {
    rmSync(guard, { force: true })
  }
}

/** Creates a file that no other process may create, and waits while there is one. */
function take (guard: string): void {
  while (!created(guard)) {
    // A file that is gone by now has no age, NaN.
    const age = Date.now() - Number(statSync(guard, { throwIfNoEntry: false })?.mtimeMs)
    if (age > staleMillis) rmSync(guard, { force: true })
    else Atomics.wait(sleeper, 0, 0, 2)
  }
}

function created (guard: string): boolean {
  try {
    closeSync(openSync(guard, 'wx'))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
