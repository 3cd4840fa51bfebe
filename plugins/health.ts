import fp from 'fastify-plugin'
import { leaving } from '../src/database/health-check.js'
import { checkSettings } from '../src/errors/check-call.js'
import { SettingsError } from '../src/errors/settings-error.js'
import { checkLive, livePaths } from './live/live-options.js'
import { readsJsonSchema } from './route-schemas.js'
import { databaseIn } from './server-databases.js'
import type { FastifyInstance, FastifyRequest, FastifySchema, LogLevel, RouteOptions } from 'fastify'
import type { OptionChecks } from '../src/runtime/option-checks.js'
import type { LiveOptions } from './live/live-options.js'

/** The options of the database without a name, for the others. */
const firstOptions = Symbol('data-access.health')

declare module 'fastify' {
  interface FastifyInstance {
    [firstOptions]?: HealthOptions | false
  }
}

/** The path of the health routes, their access check, and their level of detail. */
export interface HealthOptions {
  /**
   * The path of the health route; the pool's route is `${path}/pool`. A `prefix` given at `register` does not change it; the
   * prefix of a surrounding context does.
   * @defaultValue `'/health/database'`
   */
  path?: string | undefined
  /**
   * Whether the reply also has the server's version and the reason of a failure (an error code, never a host name).
   * @defaultValue `false`
   */
  details?: boolean | ((request: FastifyRequest) => boolean | Promise<boolean>) | undefined
  /** Runs before both routes, for example to admit monitoring only. */
  preHandler?: NonNullable<RouteOptions['preHandler']> | undefined
  /**
   * Requests below this level are not logged: probes come every few seconds.
   * @defaultValue `'warn'`
   */
  logLevel?: LogLevel | undefined
  /**
   * The longest time that a check may take, in milliseconds: 1 to 60000.
   * @defaultValue `1000`
   */
  timeoutMillis?: number | undefined
  /**
   * `true`: also the live page, `${path}/live`: connections, waits, locks, holders and slow statements, once a second. It shows the SQL of the program, without
   * values, and names of its routes: admit administrators only, with a `preHandler` of its own, or with that of `health`.
   * @defaultValue `false`
   */
  live?: boolean | LiveOptions | undefined
}

/** The part of the common options that this plugin reads. */
export interface HealthPluginOptions {
  /** The name of the database, if it has one. Its routes are below those of the first: `${path}/billing`. */
  name?: string | undefined
  /** `false`: no routes. */
  health?: HealthOptions | false | undefined
}

/** How long a result is reused, in milliseconds. */
const maxAgeMillis = 1000

const count = { type: 'integer' }

const healthBody = {
  type: 'object',
  required: ['status', 'latencyMillis', 'timestamp'],
  properties: {
    status: { type: 'string', enum: ['up', 'saturated', 'pending', 'down', 'closing'] },
    latencyMillis: { type: 'number', description: 'How long PostgreSQL took to answer' },
    timestamp: { type: 'string', format: 'date-time', description: 'When the database was asked' },
    readOnly: { type: 'boolean', description: 'Whether PostgreSQL refuses writes, when it answered' },
    version: { type: 'string', description: 'Only for callers who are shown details' },
    error: { type: 'string', description: 'Only for callers who are shown details' }
  }
}

const poolBody = {
  type: 'object',
  required: ['size', 'max', 'total', 'idle', 'inUse', 'waiting'],
  properties: {
    size: { ...count, description: 'Connections kept when idle' },
    max: { ...count, description: 'Connections at most' },
    total: { ...count, description: 'Connections open now' },
    idle: count,
    inUse: count,
    waiting: { ...count, description: 'Requests that wait for a connection' }
  }
} as const

const poolWithReplicas = {
  ...poolBody,
  properties: {
    ...poolBody.properties,
    replicas: {
      type: 'array',
      description: 'Only with replicas, in the order of their URLs',
      items: {
        type: 'object',
        required: ['serves', 'pool'],
        properties: {
          serves: { type: 'boolean', description: 'Whether it serves reads now' },
          lagMillis: { ...count, description: 'How old its rows may be; absent if it does not serve' },
          pool: poolBody
        }
      }
    }
  }
}

const emptyPool = { size: 0, max: 0, total: 0, idle: 0, inUse: 0, waiting: 0 }

const healthSchema: FastifySchema = {
  response: { 200: { description: 'The database serves', ...healthBody }, 503: { description: 'It does not', ...healthBody } }
}
const poolSchema: FastifySchema = { response: { 200: { description: 'Connections, and who waits for one', ...poolWithReplicas } } }

const defaultPath = '/health/database'

/** The servers that have health routes, in any scope. */
const servers = new WeakSet<object>()

/**
 * Refuses a path that Fastify would reject as a duplicate route.
 *
 * @throws {SettingsError} if the path of a health route is taken: by another `register` in another scope, or by a route of the
 * server
 */
export function refuseTakenRoutes (fastify: FastifyInstance, plugin: HealthPluginOptions): void {
  const options = healthOptionsFor(fastify, plugin)
  if (options === false) return
  const { path = defaultPath } = options
  if (typeof path !== 'string') return // refused with its name, when the routes are made
  const taken = [path, `${path}/pool`, ...(options.live ? livePaths(path) : [])].map((url) => fastify.prefix + url).find((url) => fastify.hasRoute({ method: 'GET', url }))
  if (taken === undefined) return
  const way = 'give this one other routes, with health: { path }, or none, with health: false'
  if (servers.has(fastify.server)) throw new SettingsError('fastify-data-access', `is registered already on this server, in another scope, and GET ${taken} is there: register it once, at the root; for a database of its own in each scope, ${way}`)
  throw new SettingsError('health.path', `cannot be used: the server has a route GET ${taken} already; ${way}`)
}

/** The options of a database. One with a name takes what it is not given from the first one. */
function healthOptionsFor (fastify: FastifyInstance, { name, health }: HealthPluginOptions): HealthOptions | false {
  if (name === undefined || health === false) return health ?? {}
  const { [firstOptions]: first } = fastify
  if (first === false && health === undefined) return false
  const { path = defaultPath, ...others } = first || {}
  return { ...others, ...health, path: health?.path ?? `${path}/${name}` }
}

/**
 * Adds `GET /health/database` (200 when the database serves, else 503) and `GET /health/database/pool` (counts).
 *
 * With a `name` they are `/health/database/billing` and `/health/database/billing/pool`.
 *
 * Replies come within `timeoutMillis`, are shared for a second, and open no transaction for the request.
 *
 * @throws {SettingsError} for an unknown or invalid option, with its name
 */
async function plugin (fastify: FastifyInstance, given: HealthPluginOptions): Promise<void> {
  if (given.health !== undefined && given.health !== false) checkSettings({ path: 'health', kind: 'an object, or false for no routes' }, given.health, checks)
  checkLive(given.health === false ? undefined : given.health?.live)
  const options = healthOptionsFor(fastify, given)
  if (given.name === undefined) fastify[firstOptions] = options
  if (options === false) return
  refuseTakenRoutes(fastify, given)
  const database = databaseIn(fastify, given.name)
  const { path = defaultPath, details = false, preHandler, logLevel = 'warn', timeoutMillis = 1000, live = false } = options
  const shows = typeof details === 'function' ? details : () => details
  let isClosing = false
  fastify.addHook('preClose', async () => { isClosing = true })

  // If the server's compiler accepts no JSON schemas, the routes have none: swagger's transform could not read them either.
  const example = { schema: poolBody, method: 'GET', url: `${path}/pool`, httpStatus: '200' }
  const isReadable = readsJsonSchema(fastify.serializerCompiler, example, emptyPool)
  const common = {
    method: 'GET',
    exposeHeadRoute: true,
    logLevel,
    config: { transaction: false },
    ...(preHandler !== undefined && { preHandler })
  } as const satisfies Partial<RouteOptions>

  servers.add(fastify.server)
  fastify.route({
    ...common,
    url: path,
    ...(isReadable && { schema: healthSchema }),
    handler: async (request, reply) => {
      const health = isClosing ? leaving() : await database.checkHealth({ timeoutMillis, maxAgeMillis })
      reply.code(health.healthy ? 200 : 503).header('cache-control', 'no-store')
      const { status, latencyMillis, timestamp, readOnly, version, error } = health
      return { status, latencyMillis, timestamp, readOnly, ...(await shows(request) && { version, error }) }
    }
  })

  fastify.route({
    ...common,
    url: `${path}/pool`,
    ...(isReadable && { schema: poolSchema }),
    handler: async (_request, reply) => {
      reply.header('cache-control', 'no-store')
      const { poolInfo, replicas } = database
      return replicas.length === 0 ? poolInfo : { ...poolInfo, replicas }
    }
  })
  if (live === false) return
  const { addLiveRoutes } = await import('./live/live-routes.js')
  addLiveRoutes(fastify, { paths: livePaths(path), database, live, common })
}

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']
const longestMillis = 60_000

const checks: OptionChecks<HealthOptions> = {
  path: [(value) => typeof value === 'string' && /^(\/[^/?#\s]+)+$/.test(value), 'must begin with / and must not end with it'],
  details: [(value) => ['boolean', 'function'].includes(typeof value), 'must be true, false, or a function of the request'],
  preHandler: [(value) => [value].flat().every((hook) => typeof hook === 'function'), 'must be a hook, or an array of hooks'],
  logLevel: [(value) => levels.some((level) => level === value), `must be one of ${levels.join(', ')}`],
  timeoutMillis: [(value) => typeof value === 'number' && value >= 1 && value <= longestMillis, `must be a number of milliseconds from 1 to ${longestMillis}`],
  live: [() => true, 'is checked by checkLive()']
}

/** The plugin that adds the health routes; register the database plugin before it. */
export const healthPlugin = fp(plugin, { fastify: '5.x', name: 'data-access/health', dependencies: ['data-access/database'] })
