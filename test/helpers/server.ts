import Fastify from 'fastify'
import dataAccess from '../../plugins/index.js'
import { createTestDatabase, expectNoLeaks } from '../../src/testing/index.js'
import { schema, tables } from './schema.js'
import { withPassword } from './secret.js'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { DataAccessOptions } from '../../plugins/index.js'
import type { Test } from './database.js'

/** What {@link build} takes: the plugin's options, and the server's. */
export interface BuildOptions extends DataAccessOptions {
  readonly server?: FastifyServerOptions
  /** Runs before the plugin is registered. */
  readonly before?: (server: FastifyInstance) => void | Promise<void>
}

/**
 * A server with the plugin over a database of the test's own with {@link tables} in it; when the test ends it is checked that
 * every connection is back in the pool and no transaction stands open, then it is closed and the database dropped.
 */
export async function build (t: Test, { server: serverOptions, before, ...options }: BuildOptions = {}): Promise<FastifyInstance> {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const server: FastifyInstance = Fastify({ ...serverOptions })
  t.teardown(() => server.close())
  await before?.(server)
  await server.register(dataAccess, { connectionString: withPassword(connectionString), schema, ...options })
  t.teardown(() => expectNoLeaks(server.db))
  return server
}
