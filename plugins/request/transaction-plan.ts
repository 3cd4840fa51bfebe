import { checkSettings } from '../../src/errors/check-call.js'
import { resolveContext } from '../../src/settings/transaction-context.js'
import { resolveTransactionOptions } from '../../src/settings/transaction-options.js'
import { anything, oneOf } from '../../src/runtime/option-checks.js'
import { UsageError } from '../../src/errors/errors.js'
import { SettingsError } from '../../src/errors/settings-error.js'
import { isResponse } from './payload.js'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { StatementBudgetOption } from '../telemetry/statement-budget.js'
import type { ReadYourWritesPluginOptions, TokenCarrier } from './read-your-writes.js'
import type { OptionChecks } from '../../src/runtime/option-checks.js'
import type { TransactionContext } from '../../src/settings/transaction-context.js'
import type { BeginPoint, TransactionOptions, TransactionSettings } from '../../src/settings/transaction-options.js'

/** How the transaction of a request begins and ends. */
export interface RequestTransactionOptions extends Omit<TransactionOptions, 'begin' | 'context'> {
  /**
   * What the statements of the request know of the user they are for, or a function of the request that gives it: it is called by the first
   * statement, and again for each attempt of `retries`. If it gives nothing, the request has no context.
   * @defaultValue none
   */
  readonly context?: FixedContext | RequestContext | undefined
  /**
   * When BEGIN is sent: with the first statement that is not a plain repository read, with the first statement, or
   * before everything else (`onRequest`, on matched routes only: it takes a connection before authentication and validation).
   * @defaultValue `'firstWrite'`
   */
  readonly begin?: BeginPoint | undefined
  /**
   * `onSend`: the commit is confirmed before the first byte of the reply. `onResponse`: after the reply, for latency;
   * a commit that fails then can only be logged. `atEnd`: as `onSend`, but a stream is sent within the transaction. Its last piece
   * is held back until the commit is confirmed; if it is not, the connection is broken off. So a complete reply means that the
   * commit succeeded. The transaction then lasts as long as the slowest reader.
   * @defaultValue `'onSend'`
   */
  readonly commit?: 'onSend' | 'onResponse' | 'atEnd' | undefined
  /**
   * Which replies commit.
   * @defaultValue those with a status below 400, except 207: whether a multi-status reply commits depends on the route
   */
  readonly commitOn?: ((reply: FastifyReply, payload: unknown) => boolean) | undefined
  /**
   * How many statements the request may run: see `statementBudget` of the plugin, before which it goes. `false`: as many as it likes.
   * @defaultValue that of the plugin
   */
  readonly statementBudget?: StatementBudgetOption | undefined
}

/** A context that is neither a function nor a promise, which TypeScript would accept for an object of optional properties. */
export interface FixedContext extends TransactionContext {
  readonly call?: never
  readonly then?: never
}

/** Gives the context of a request. */
export type RequestContext = (request: FastifyRequest) => FixedContext | undefined

/** The part of the common options that is about transactions. */
export interface TransactionPluginOptions extends ReadYourWritesPluginOptions {
  readonly transaction?: RequestTransactionOptions | undefined
}

/** The checked transaction options of a route. */
export interface TransactionPlan {
  readonly settings: TransactionSettings
  readonly beginsOnRequest: boolean
  readonly commitsAfterResponse: boolean
  /** Whether a stream is part of the transaction. */
  readonly commitsAtEnd: boolean
  readonly commitOn: (reply: FastifyReply, payload: unknown) => boolean
  /** With `readYourWrites`. */
  readonly carrier: TokenCarrier | undefined
  /** Gives the context of a request, in place of the settings. */
  readonly context: RequestContext | undefined
  /** The options of the route alone, which also hold for the other databases of the server. */
  readonly ofRoute: RequestTransactionOptions
}

const checks: OptionChecks<RequestTransactionOptions> = {
  commit: oneOf('onSend', 'onResponse', 'atEnd'),
  commitOn: [(value) => typeof value === 'function', 'must be a function of the reply and its payload'],
  begin: oneOf('firstWrite', 'firstQuery', 'onRequest'),
  // `resolveTransactionOptions` checks the values of the options that sessions without a request also have.
  isolationLevel: anything,
  accessMode: anything,
  deferrable: anything,
  retries: anything,
  timeoutMillis: anything,
  settleTimeoutMillis: anything,
  resolveCommits: anything,
  reads: anything,
  token: anything,
  single: anything,
  statementBudget: anything,
  context: anything,
  contextRequired: anything
}

/**
 * The options that are not undefined.
 *
 * @throws {SettingsError} for a value that is not an object, and for an unknown option
 */
export function givenTransaction (options: RequestTransactionOptions): RequestTransactionOptions {
  checkSettings({ path: 'transaction', kind: 'an object (false, for no transaction, only on a route)' }, options, checks)
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/**
 * Checks options and adds the defaults; `ofRoute` are those of the route among them.
 *
 * @throws {SettingsError} for an unknown option, and for an invalid value
 * @throws {UsageError} for the same faults in options that sessions without a request also have
 */
export function planTransaction (options: RequestTransactionOptions, carrier?: TokenCarrier, ofRoute: RequestTransactionOptions = {}): TransactionPlan {
  const { begin = 'firstWrite', commit = 'onSend', commitOn = claimsSuccess, context, statementBudget, ...rest } = givenTransaction(options)
  const decides = commit !== 'onSend' ? 'commit' : commitOn !== claimsSuccess ? 'commitOn' : undefined
  if (rest.single === true && decides !== undefined) throw new UsageError(`transaction.single cannot be combined with ${decides}: the write commits by itself, before the reply is made`)
  return {
    settings: resolveTransactionOptions({ token: carrier !== undefined, ...rest, ...fixedContext(context), begin: coreBegin(begin) }),
    beginsOnRequest: begin === 'onRequest',
    commitsAfterResponse: commit === 'onResponse',
    commitsAtEnd: commit === 'atEnd',
    commitOn,
    carrier,
    context: contextFunction(context),
    ofRoute
  }
}

/** The options that also hold for sessions without a request. */
export function databaseTransaction (options: RequestTransactionOptions): TransactionOptions {
  const { begin, commit, commitOn, context, statementBudget, single, ...rest } = options
  return { ...rest, ...fixedContext(context), ...(begin !== undefined && { begin: coreBegin(begin) }) }
}

/**
 * Checks the options of a further database: one reply has one decision, which the first database and the route make.
 *
 * @throws {SettingsError} for an option about the reply
 */
export function refuseReplyOptions (options: RequestTransactionOptions): void {
  const found = ['commit', 'commitOn'].find((name) => name in options) ?? (options.begin === 'onRequest' ? 'begin' : undefined)
  if (found === undefined) return
  const way = found === 'begin' ? "cannot be 'onRequest'" : 'cannot be given'
  throw new SettingsError(`transaction.${found}`, `${way} for a database with a name: give it to the one without, or to the route. A reply decides for all databases at once`)
}

/** The settings of a request's session, with the context that a function gives it. */
export function settingsOf (request: FastifyRequest, settings: TransactionSettings, context: RequestContext | undefined): TransactionSettings {
  if (context === undefined) return settings
  return {
    ...settings,
    context: () => {
      const given: unknown = context(request)
      return given === undefined ? undefined : resolveContext(given)
    }
  }
}

/** The function that gives the context of a request, if it is one. */
export function contextFunction (context: RequestTransactionOptions['context']): RequestContext | undefined {
  return typeof context === 'function' ? context : undefined
}

function fixedContext (context: RequestTransactionOptions['context']): Pick<TransactionOptions, 'context'> {
  return context === undefined || typeof context === 'function' ? {} : { context }
}

/** Without a request there is nothing before the first query. */
function coreBegin (begin: BeginPoint | undefined): TransactionOptions['begin'] {
  return begin === 'onRequest' ? 'firstQuery' : begin
}

/** The status that the client gets. A web Response has a status of its own, which the reply does not show yet. */
export function statusOf (reply: FastifyReply, payload: unknown): number {
  return isResponse(payload) ? payload.status : reply.statusCode
}

/** Some parts of the request have failed, others have not. */
const multiStatus = 207

function claimsSuccess (reply: FastifyReply, payload: unknown): boolean {
  const statusCode = statusOf(reply, payload)
  return statusCode < 400 && statusCode !== multiStatus
}
