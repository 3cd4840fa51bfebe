import Fastify from 'fastify'
import dataAccess from '../../plugins/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { unhurried } from './database.js'
import { wayTo } from './through-pooler.js'
import { startProxy } from './proxy.js'
import { declared, withTables } from './schema.js'
import { withPassword } from './secret.js'
import { watchPool } from './watch.js'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { DataAccessOptions } from '../../plugins/index.js'
import type { Test } from './test.js'
import type { Proxy } from './proxy.js'

/** The options of {@link build}: those of the plugin, and of the server. */
export interface BuildOptions extends DataAccessOptions {
  readonly server?: FastifyServerOptions
  /** Runs before the plugin is registered. */
  readonly before?: (server: FastifyInstance) => void | Promise<void>
}

/**
 * Builds a server with the plugin over a new database with {@link tables}. At the end of the test it checks that nothing was left
 * behind ({@link watchPool}), then closes the server and drops the database.
 */
export async function build (t: Test, options: BuildOptions = {}): Promise<FastifyInstance> {
  const { connectionString } = await createTestDatabase(t, withTables)
  const url = withPassword(connectionString)
  return await buildOver(t, { url, way: await wayTo(t, url) }, options)
}

/** The same over a network that fails on demand. */
export async function buildByProxy (t: Test, options: BuildOptions = {}): Promise<{ server: FastifyInstance, proxy: Proxy }> {
  const { connectionString } = await createTestDatabase(t, withTables)
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
  await server.register(dataAccess, { connectionString: way, ...declared, ...unhurried, ...options })
  watchPool(t, server.db.pool, { url })
  return server
}
