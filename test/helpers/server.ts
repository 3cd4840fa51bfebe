import Fastify from 'fastify'
import dataAccess from '../../plugins/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { unhurried } from './database.js'
import { startProxy } from './proxy.js'
import { schema, tables } from './schema.js'
import { withPassword } from './secret.js'
import { watchPool } from './watch.js'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { DataAccessOptions } from '../../plugins/index.js'
import type { Test } from './test.js'
import type { Proxy } from './proxy.js'

/** What {@link build} takes: the plugin's options, and the server's. */
export interface BuildOptions extends DataAccessOptions {
  readonly server?: FastifyServerOptions
  /** Runs before the plugin is registered. */
  readonly before?: (server: FastifyInstance) => void | Promise<void>
}

/**
 * A server with the plugin over a database of the test's own with {@link tables} in it. When the test ends it is checked that
 * it has left nothing behind ({@link watchPool}); then the server is closed and the database dropped.
 */
export async function build (t: Test, options: BuildOptions = {}): Promise<FastifyInstance> {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const url = withPassword(connectionString)
  return await buildOver(t, { url, way: url }, options)
}

/** The same over a network that fails when it is told to. */
export async function buildByProxy (t: Test, options: BuildOptions = {}): Promise<{ server: FastifyInstance, proxy: Proxy }> {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const url = withPassword(connectionString)
  const proxy = await startProxy(t, url)
  return { server: await buildOver(t, { url, way: proxy.connectionString }, options), proxy }
}

async function buildOver (
  t: Test,
  { url, way }: { url: string, way: string },
  { server: serverOptions, before, ...options }: BuildOptions
): Promise<FastifyInstance> {
  const server: FastifyInstance = Fastify({ ...serverOptions })
  t.teardown(() => server.close())
  await before?.(server)
  await server.register(dataAccess, { connectionString: way, schema, ...unhurried, ...options })
  watchPool(t, server.db.pool, { url })
  return server
}
