/**
 * The token of a commit: the cluster, its timeline, and a position in the WAL at or behind the commit. A server of the same cluster
 * and timeline that has replayed the WAL up to that position shows what was committed.
 */
import { statementName } from '../statement/statement-name.js'
import type { Statement } from '../statement/statement.js'

/** A token of a commit, as read from its text. */
export interface CommitToken {
  /** The identifier of the cluster. */
  readonly system: string
  /** Eight hexadecimal digits. */
  readonly timeline: string
  readonly position: bigint
}

/**
 * The token of a commit whose position is not known. It is none that {@link parseToken} accepts, so reads that carry it go to the
 * primary.
 */
export const unknownPosition = 'primary'

const longest = 64

const shape = /^(\d{1,20})-([0-9A-F]{8})-([0-9A-F]{1,8})-([0-9A-F]{1,8})$/

/** Reads a token, which may come from anywhere; undefined if it is not one. */
export function parseToken (text: unknown): CommitToken | undefined {
  const parts = typeof text === 'string' && text.length <= longest ? shape.exec(text) : null
  if (parts === null) return undefined
  const [, system, timeline, high, low] = parts as unknown as [string, string, string, string, string]
  return { system, timeline, position: positionOf(`${high}/${low}`) }
}

/** A position in the WAL from PostgreSQL's text of it, for example `16/B374D848`. */
export function positionOf (text: string): bigint {
  const [high, low] = text.split('/')
  return BigInt(`0x${high}`) << 32n | BigInt(`0x${low}`)
}

/** PostgreSQL's text of a position. */
export function positionText (position: bigint): string {
  return `${(position >> 32n).toString(16)}/${(position & 0xffffffffn).toString(16)}`
}

/**
 * Runs behind COMMIT, in a transaction of its own, so what it reads is at or behind the commit. It reads the insert position: with
 * `synchronous_commit = off` COMMIT is answered before its WAL is written, and the write position may still be before it.
 * https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-BACKUP
 */
const text = `select concat_ws('-', system_identifier, left(pg_walfile_name(position), 8), translate(position::text, '/', '-')) as token
  from pg_control_system(), pg_current_wal_insert_lsn() as position`

/** Asks for the token of the commit before it. */
export const askToken: Statement = { kind: 'read', text, name: statementName('token', text), values: [], context: { operation: 'token' } }
