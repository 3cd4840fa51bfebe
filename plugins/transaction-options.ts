import { resolveTransactionOptions } from '../src/session/options.js'
import { SettingsError } from '../src/settings/settings-error.js'
import type { FastifyReply } from 'fastify'
import type { BeginPoint, TransactionOptions, TransactionSettings } from '../src/session/options.js'

/** How the transaction of a request begins and ends. */
export interface RequestTransactionOptions extends Omit<TransactionOptions, 'begin'> {
  /**
   * When BEGIN is sent: with the first statement that is not a plain repository read, with the first statement, or
   * before everything else (`onRequest`, on matched routes only: it takes a connection before authentication and validation).
   * @defaultValue `'firstWrite'`
   */
  readonly begin?: BeginPoint | undefined
  /**
   * `onSend`: the commit is confirmed before the first byte of the reply. `onResponse`: after the reply, for latency;
   * a commit that fails then can only be logged.
   * @defaultValue `'onSend'`
   */
  readonly commit?: 'onSend' | 'onResponse' | undefined
  /**
   * Which replies commit.
   * @defaultValue those with a status below 400
   */
  readonly commitOn?: ((reply: FastifyReply, payload: unknown) => boolean) | undefined
}

/** The part of the common options that is about transactions. */
export interface TransactionPluginOptions {
  readonly transaction?: RequestTransactionOptions | undefined
}

/** What a route's requests do with their transaction. */
export interface TransactionPlan {
  readonly settings: TransactionSettings
  readonly beginsOnRequest: boolean
  readonly commitsAfterResponse: boolean
  readonly commitOn: (reply: FastifyReply, payload: unknown) => boolean
}

/**
 * Checks options and completes them with defaults.
 *
 * @throws {SettingsError} that names the option which cannot be used
 */
export function planTransaction (options: RequestTransactionOptions): TransactionPlan {
  const { begin = 'firstWrite', commit = 'onSend', commitOn = claimsSuccess, ...rest } = options
  if (commit !== 'onSend' && commit !== 'onResponse') throw new SettingsError('transaction.commit', "must be 'onSend' or 'onResponse'")
  if (typeof commitOn !== 'function') throw new SettingsError('transaction.commitOn', 'must be a function of the reply and its payload')
  return {
    settings: resolveTransactionOptions({ ...rest, begin: begin === 'onRequest' ? 'firstQuery' : begin }),
    beginsOnRequest: begin === 'onRequest',
    commitsAfterResponse: commit === 'onResponse',
    commitOn
  }
}

/** What of a request's options holds for sessions without a request, too. */
export function databaseTransaction (options: RequestTransactionOptions = {}): TransactionOptions {
  const { begin, commit, commitOn, ...rest } = options
  return { ...rest, begin: begin === 'onRequest' ? 'firstQuery' : begin }
}

/** A web Response brings a status of its own, which the reply does not show yet when it is sent. */
function claimsSuccess (reply: FastifyReply, payload: unknown): boolean {
  return (payload instanceof Response ? payload.status : reply.statusCode) < 400
}
