import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyRequest, FastifySchema, LogLevel, RouteOptions } from 'fastify'
import type { Health } from '../src/health.js'
import { SettingsError } from '../src/settings/settings-error.js'

/** Where the health routes are, who may call them, and what they tell. */
export interface HealthOptions {
  /**
   * The path of the health route; that of the pool is `${path}/pool`. A `prefix` given at `register` does not move it; that of a context around the plugin does.
   * @defaultValue `'/health/database'`
   */
  path?: string | undefined
  /**
   * Whether the answer also has the server's version and the reason of a failure (an error code, never a host name).
   * @defaultValue `false`
   */
  details?: boolean | ((request: FastifyRequest) => boolean | Promise<boolean>) | undefined
  /** Runs before both routes: to let monitoring in and keep the rest of the world out. */
  preHandler?: RouteOptions['preHandler'] | undefined
  /**
   * Requests below this level are not logged: probes come every few seconds.
   * @defaultValue `'warn'`
   */
  logLevel?: LogLevel | undefined
  /**
   * The longest time in milliseconds that an answer may take: 1 to 60000.
   * @defaultValue `1000`
   */
  timeoutMillis?: number | undefined
}

/** The part of the common options that this plugin reads. */
export interface HealthPluginOptions {
  /** `false`: no routes. */
  health?: HealthOptions | false | undefined
}

/** An answer is good for everybody who asks within this time, in milliseconds. */
const maxAgeMillis = 1000

const count = { type: 'integer' }

const healthBody = {
  type: 'object',
  required: ['status', 'latencyMillis', 'timestamp'],
  properties: {
    status: { type: 'string', enum: ['up', 'saturated', 'down', 'closing'] },
    latencyMillis: { type: 'number', description: 'How long PostgreSQL took to answer' },
    timestamp: { type: 'string', format: 'date-time', description: 'When the database was asked' },
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
}

const healthSchema: FastifySchema = {
  response: { 200: { description: 'The database serves', ...healthBody }, 503: { description: 'It does not', ...healthBody } }
}
const poolSchema: FastifySchema = { response: { 200: { description: 'Connections, and who waits for one', ...poolBody } } }

/**
 * Adds `GET /health/database` (200 when the database serves, else 503) and `GET /health/database/pool` (counts).
 *
 * Answers come within `timeoutMillis`, are shared for a second, and hold no transaction of the request.
 *
 * @throws {SettingsError} for an option that cannot be used, with its name.
 */
async function healthPlugin (fastify: FastifyInstance, { health: options = {} }: HealthPluginOptions): Promise<void> {
  if (options === false) return
  const { path, details, preHandler, logLevel, timeoutMillis } = checked(options)
  const shows = typeof details === 'function' ? details : () => details
  let isClosing = false
  fastify.addHook('preClose', async () => { isClosing = true })

  const common = {
    method: 'GET',
    exposeHeadRoute: true,
    logLevel,
    config: { transaction: false },
    // The server may have another compiler, which does not know JSON schemas (zod's, say): the schema's keys are all it takes.
    serializerCompiler: ({ schema }) => writerOf(schema),
    ...(preHandler !== undefined && { preHandler })
  } as const satisfies Partial<RouteOptions>

  fastify.route({
    ...common,
    url: path,
    schema: healthSchema,
    handler: async (request, reply) => {
      const health = isClosing ? closing() : await fastify.db.checkHealth({ timeoutMillis, maxAgeMillis })
      reply.code(health.healthy ? 200 : 503).header('cache-control', 'no-store')
      const { status, latencyMillis, timestamp, version, error } = health
      return { status, latencyMillis, timestamp, ...(await shows(request) && { version, error }) }
    }
  })

  fastify.route({
    ...common,
    url: `${path}/pool`,
    schema: poolSchema,
    handler: async (_request, reply) => {
      reply.header('cache-control', 'no-store')
      return fastify.db.poolInfo
    }
  })
}

/** Writes the properties that a schema names, and no others. */
function writerOf (schema: unknown): (body: unknown) => string {
  const { properties } = schema as typeof healthBody
  return (body) => JSON.stringify(body, Object.keys(properties))
}

function closing (): Pick<Health, 'healthy' | 'status' | 'latencyMillis' | 'timestamp' | 'version' | 'error'> {
  return { healthy: false, status: 'closing', latencyMillis: 0, timestamp: new Date() }
}

const names = ['path', 'details', 'preHandler', 'logLevel', 'timeoutMillis']

function checked (options: HealthOptions) {
  if (typeof options !== 'object' || options === null) throw new SettingsError('health', 'must be an object, or false for no routes')
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw new SettingsError(`health.${name}`, `is not an option; there are ${names.join(', ')}`)
  }
  const { path = '/health/database', details = false, preHandler, logLevel = 'warn' as LogLevel, timeoutMillis = 1000 } = options
  if (typeof path !== 'string' || !/^(\/[^/?#\s]+)+$/.test(path)) throw new SettingsError('health.path', 'must begin with / and must not end with it')
  if (!['boolean', 'function'].includes(typeof details)) throw new SettingsError('health.details', 'must be true, false, or a function of the request')
  if (preHandler !== undefined && [preHandler].flat().some((hook) => typeof hook !== 'function')) throw new SettingsError('health.preHandler', 'must be a hook, or an array of hooks')
  if (!(timeoutMillis >= 1 && timeoutMillis <= 60_000)) throw new SettingsError('health.timeoutMillis', 'must be a number of milliseconds from 1 to 60000')
  return { path, details, preHandler, logLevel, timeoutMillis }
}

export default fp(healthPlugin, { fastify: '5.x', name: 'data-access/health', dependencies: ['data-access/database'] })
