import { isPostgresError } from '../errors/redact.js'

/** A process that waits in a deadlock, and the one that it waits for. */
export interface DeadlockEdge {
  readonly waiting: number
  readonly blocker: number
}

/**
 * The processes of a deadlock, from the `detail` of PostgreSQL's error: a line for each, which begins with the process that waits and ends with the one that
 * blocks it, in every language. What lies between may be values, such as the keys of advisory locks; nothing of it is read.
 * https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/storage/lmgr/deadlock.c
 */
export function deadlockProcesses (error: unknown): DeadlockEdge[] {
  return detailOf(error).split('\n').flatMap((line) => {
    const numbers = Array.from(line.matchAll(/\d+/g), Number)
    const [waiting, blocker] = [numbers[0], numbers.at(-1)]
    return waiting === undefined || blocker === undefined || waiting === blocker ? [] : [{ waiting, blocker }]
  })
}

function detailOf (error: unknown): string {
  if (isPostgresError(error) && 'detail' in error) return String(error.detail)
  const { cause } = Object(error)
  return cause === undefined ? '' : detailOf(cause)
}
