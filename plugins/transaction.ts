import fp from 'fastify-plugin'
import { TransactionClosedError, UsageError } from '../src/errors/errors.js'
import { SettingsError } from '../src/errors/settings-error.js'
import { attemptAt } from './request/attempt.js'
import { repeating } from './request/retry-handler.js'
import { RequestSession } from './request/request-session.js'
import { isStream } from './request/payload.js'
import { tokenCarrier } from './request/read-your-writes.js'
import { givenTransaction, planTransaction } from './request/transaction-plan.js'
import { SessionGroup } from '../src/session/session-group.js'
import { defaultName } from '../src/settings/settings.js'
import { RequestCaller } from './request/request-caller.js'
import { serverDatabases } from './server-databases.js'
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction, RouteOptions } from 'fastify'
import type { Scope } from '../src/session/scope.js'
import type { Session } from '../src/session/session.js'
import type { RetryStates } from './request/retry-states.js'
import type { RequestDatabases } from './server-databases.js'
import type { Attempt } from './request/attempt.js'
import type { TokenCarrier } from './request/read-your-writes.js'
import type { RequestTransactionOptions, TransactionPlan, TransactionPluginOptions } from './request/transaction-plan.js'

/** The plugin's own properties of a request. */
const replyOf = Symbol('data-access.reply')
const sessionOf = Symbol('data-access.session')
const running = Symbol('data-access.attempt')
const hasFailed = Symbol('data-access.failed')
const stage = Symbol('data-access.stage')
/** The request's session in a database, by name. */
export const sessionIn = Symbol('data-access.session-in')
/** The plan of a route. Each route with a plan also has our `onSend` hook. */
const plan = Symbol('data-access.plan')

const tooEarly = 'request.db does not exist yet: register fastify-data-access before the plugins that use it, and use it from the onRequest hook on'
const forRequestsOnly = 'request.db ends with its request, and a websocket goes on: use fastify.db.session() for each message'

const singleOfSeveral = 'transaction.single is for a server with one database: here a request has one decision for all of them. Leave it out for this route, or use server.db.session(fn, { single: true })'

/** The name of Fastify's hook that removes the body of a reply to HEAD. */
const headHook = 'headRouteOnSendHandler'

/** The last of our `onSend` hooks that the reply has passed: none, the root's, or the route's. */
type Stage = 'none' | 'root' | 'route'

declare module 'fastify' {
  interface FastifyRequest {
    /** The request's session: at most one transaction, and no connection before the first query. It is made on first use. */
    readonly db: Session
    /**
     * The request's session in each database of the server, made on first use: `request.databases.billing`. They have one decision:
     * all commit, or all roll back. `request.databases.default` is `request.db`.
     */
    readonly databases: RequestDatabases
    [sessionIn] (name: string): Session
    /** Runs a function in a nested scope (savepoint) of the request's transaction. */
    transaction<Result> (fn: (scope: Scope) => Result | Promise<Result>): Promise<Result>
    [replyOf]: FastifyReply | undefined
    [sessionOf]: RequestSession | undefined
    [running]: Attempt | undefined
    [hasFailed]: boolean
    [stage]: Stage
  }
  interface FastifyContextConfig {
    /** How the transaction of this route begins and ends. `false`: the route has none, and `request.db` throws. */
    transaction?: RequestTransactionOptions | false | undefined
    [plan]?: TransactionPlan | false
  }
}

/**
 * Opens, commits and rolls back one transaction per request.
 *
 * The commit comes directly before the first byte of the reply: a client never reads `201 Created` for a row that PostgreSQL then
 * refused. The transaction rolls back on a thrown error, a status of 400 or more, `rollbackOnly()`, or if the client has left.
 *
 * @throws {SettingsError} for an invalid option, also when a route with one is declared
 */
async function plugin (fastify: FastifyInstance, { transaction: options = {}, readYourWrites }: TransactionPluginOptions): Promise<void> {
  const carrier = tokenCarrier(readYourWrites)
  const defaultPlan = planTransaction(options, carrier)
  const { [serverDatabases]: databases } = fastify
  let someBeginOnRequest = defaultPlan.beginsOnRequest

  fastify.decorateRequest(replyOf, undefined)
  fastify.decorateRequest(sessionOf, undefined)
  fastify.decorateRequest(running, undefined)
  fastify.decorateRequest(hasFailed, false)
  fastify.decorateRequest(stage, 'none')
  fastify.decorateRequest('db', { getter (this: FastifyRequest) { return workOf(this).session } })
  fastify.decorateRequest(sessionIn, function (name) { return workIn(this, name) })
  fastify.decorateRequest('databases', { getter (this: FastifyRequest) { return databasesOf(this) as unknown as RequestDatabases } })
  fastify.decorateRequest('transaction', function (this: FastifyRequest, fn) { return this.db.transaction(fn) })

  fastify.addHook('onRequest', (request, reply, done) => {
    request[replyOf] = reply
    if (someBeginOnRequest && !request.is404) beginNow(request, done)
    else done()
  })

  // Independent of the error handler's reply.
  fastify.addHook('onError', (request, _reply, _error, done) => {
    const counts = request[sessionOf]?.fail() ?? true
    if (counts) request[hasFailed] = true
    done()
  })

  // Appended to each route, so that it runs after the other onSend hooks and sees the status that is sent.
  fastify.addHook('onRoute', (route) => {
    const routePlan = planOfRoute(route, options, carrier)
    if (routePlan !== false && routePlan.beginsOnRequest) someBeginOnRequest = true
    if (routePlan !== false && routePlan.settings.retries > 0) {
      const { settings: { retries }, beginsOnRequest } = routePlan
      route.handler = repeating(route.handler, { retries, beginsOnRequest, ...sessions })
    }
    route.config = { ...route.config, [plan]: routePlan }
    // In a HEAD route that Fastify makes from a GET route, `decideStream` runs before Fastify's own hook destroys the stream.
    const others = [route.onSend ?? []].flat().filter((hook) => hook !== decide && hook !== decideStream)
      .flatMap((hook) => hook.name === headHook ? [decideStream, hook] : [hook])
    route.onSend = [...others, decide]
  })

  // Not-found handlers, and routes declared before this plugin, have no such hook: their replies are decided here, before the first byte.
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (defaultPlan.commitsAtEnd && planOf(request) === undefined) openForStream(request, payload)
    request[stage] = 'root'
    if (request[sessionOf]?.isDecidedByRoute === false) decide(request, reply, payload, done)
    else done()
  })

  function workOf (request: FastifyRequest): RequestSession {
    const attempt = attemptAt(request)
    if (attempt?.left !== undefined) return attempt.left
    const others = request[running]
    if (attempt === undefined && others !== undefined) others.isShared = true
    return (request[sessionOf] ??= open(request))
  }

  function open (request: FastifyRequest): RequestSession {
    const reply = request[replyOf]
    if (reply === undefined) throw new TransactionClosedError(tooEarly)
    if (isWebsocket(request)) throw new TransactionClosedError(forRequestsOnly)
    const planned = planOf(request)
    if (planned === false) throw new TransactionClosedError('This route has config.transaction: false: use fastify.db, or take that out')
    const isDecidedByRoute = planned !== undefined
    const isLate = request[stage] === (isDecidedByRoute ? 'route' : 'root')
    const group = databases.areSeveral ? new SessionGroup() : undefined
    if (group !== undefined && (planned ?? defaultPlan).settings.single) throw new UsageError(singleOfSeveral)
    return new RequestSession(fastify.db, planned ?? defaultPlan, { request, reply, isDecidedByRoute, isLate, group })
  }

  function workIn (request: FastifyRequest, name: string): Session {
    const { session, group } = workOf(request)
    const database = request.server[serverDatabases].find(name)
    if (group === undefined || database === undefined || name === defaultName) return session
    const plan = planOf(request) || defaultPlan
    return group.open(name, database.place, () => database.database.lend(database.settingsFor(request, plan), new RequestCaller(request)))
  }

  function beginNow (request: FastifyRequest, done: HookHandlerDoneFunction): void {
    const planned = planOf(request) ?? defaultPlan
    if (planned === false || !planned.beginsOnRequest || isWebsocket(request)) return done()
    request.db.begin().then(() => done(), done)
  }
}

/** An object with the request's session in each database, which is made when it is read. */
function databasesOf (request: FastifyRequest): object {
  const sessions = Object.create(null)
  for (const { name } of request.server[serverDatabases].all) {
    Object.defineProperty(sessions, name, { enumerable: true, get: () => request[sessionIn](name) })
  }
  return sessions
}

/** The plan of the request's route. A not-found handler, and a route declared before this plugin, have none. */
function planOf (request: FastifyRequest): TransactionPlan | false | undefined {
  return request.routeOptions.config?.[plan]
}

const sessions = {
  sessionOf: (request: FastifyRequest) => request[sessionOf],
  enter: (request: FastifyRequest, attempt: Attempt | undefined) => { request[running] = attempt },
  renew: (request: FastifyRequest, retryStates: RetryStates) => {
    request[sessionOf] = undefined
    for (const [name, state] of retryStates) request[sessionIn](name).inherit(state)
  }
}

function planOfRoute ({ config, method, url }: RouteOptions, options: RequestTransactionOptions, carrier: TokenCarrier | undefined): TransactionPlan | false {
  const { transaction } = config ?? {}
  if (transaction === false) return false
  try {
    const ofRoute = transaction === undefined ? {} : givenTransaction(transaction)
    return planTransaction({ ...options, ...ofRoute }, carrier, ofRoute)
  } catch (error) {
    throw new SettingsError(`config.transaction of ${[method].flat().join(', ')} ${url}`, `cannot be used: ${(error as Error).message}`)
  }
}

/** `@fastify/websocket` marks the request of a connection that becomes a websocket. */
function isWebsocket (request: FastifyRequest): boolean {
  return 'ws' in request && request.ws === true
}

function decideStream (request: FastifyRequest, reply: FastifyReply, payload: unknown, done: HookHandlerDoneFunction): void {
  if (isStream(payload)) decide(request, reply, payload, done)
  else done()
}

/** Opens the session before a stream starts: its source may use the session for the first time while it runs. */
function openForStream (request: FastifyRequest, payload: unknown): void {
  if (isStream(payload) && request[sessionOf] === undefined && !isWebsocket(request)) Reflect.get(request, 'db')
}

type SendDone = (error: Error | null, payload?: unknown) => void

function decide (request: FastifyRequest, _reply: FastifyReply, payload: unknown, done: HookHandlerDoneFunction): void {
  const planned = planOf(request)
  if (planned !== false && planned?.commitsAtEnd === true) openForStream(request, payload)
  request[stage] = 'route'
  const work = request[sessionOf]
  if (work === undefined) return done()
  const decided = work.decide({ payload, id: done, failed: request[hasFailed] })
  if (decided === true) return done()
  // An error thrown by `done`, for example for a header that cannot be written, also becomes the reply.
  decided.then((isSent) => { if (isSent) (done as SendDone)(null, work.replacement) }).catch(done)
}

/** {@inheritDoc plugin} */
export const transactionPlugin = fp(plugin, { fastify: '5.x', name: 'data-access/transaction', dependencies: ['data-access/database'] })
