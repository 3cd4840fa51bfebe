/**
 * What poolers say when they refuse a connection. They have one SQLSTATE for nearly everything, 08P01, so only their words tell the
 * reasons apart. They are never translated. https://github.com/pgbouncer/pgbouncer/blob/master/src/client.c
 */
import { sqlStates } from '../errors/sqlstate-codes.js'

/** Why a pooler refuses a connection. */
export type PoolerRefusal = 'parameter' | 'options' | 'password' | 'database' | 'full' | 'wait' | 'server' | 'disabled'

const reasons: ReadonlyArray<readonly [PoolerRefusal, RegExp]> = [
  ['options', /unsupported startup parameter(?: in options\b|: options$)/i],
  ['parameter', /unsupported startup parameter: /i],
  ['password', /(?:password|SASL) authentication failed|\bauth(?:entication)? failed|^no such user|wrong password|tenant or user not found/i],
  ['database', /^no such database|database .* does not exist/i],
  ['full', /no more connections allowed|connections exceeded|max_\w*client|max clients reached/i],
  ['wait', /query_wait_timeout/i],
  ['server', /server login|cannot connect to server|server conn crashed/i],
  ['disabled', /database .* is (?:disabled|paused)|pooler is shut/i]
]

/** The codes under which poolers refuse: Supavisor has PostgreSQL's code for internal errors. */
const codes: ReadonlySet<unknown> = new Set([sqlStates.protocolViolation, sqlStates.internalError, sqlStates.tooManyConnections])

/** Why the other end refused a connection, if these are a pooler's words. Of several hosts, the first that says why. */
export function refusalOf (error: unknown): PoolerRefusal | undefined {
  if (error instanceof AggregateError) return error.errors.map(refusalOf).find((refusal) => refusal !== undefined)
  const { code, message } = Object(error)
  if (!codes.has(code)) return undefined
  return reasons.find(([, words]) => words.test(String(message)))?.[0]
}

/** Whether a pooler refused one of these startup parameters. */
export function refusesParameter (error: unknown, names: readonly string[]): boolean {
  if (error instanceof AggregateError) return error.errors.some((failure) => refusesParameter(failure, names))
  return refusalOf(error) === 'parameter' && names.some((name) => String(Object(error).message).includes(name))
}

/** Whether a connection is refused because there are too many, by PostgreSQL or by a pooler. */
export function isFull (error: unknown): boolean {
  return Object(error).code === sqlStates.tooManyConnections || refusalOf(error) === 'full'
}
