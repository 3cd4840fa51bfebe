import fastifyPostgres from '@fastify/postgres'
import { drizzle } from 'drizzle-orm/node-postgres'
import { drizzle as drizzle1 } from 'drizzle-orm-1/node-postgres'
import { PgDialect } from 'drizzle-orm/pg-core'
import pg from 'pg'
import dataAccess from '../../../plugins/index.js'
import type { SQL } from 'drizzle-orm'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Runs one statement in the transaction. */
export type Run = (statement: SQL) => Promise<unknown>

/** The way in which handlers use one transaction; everything else is the same for all. */
export interface Way {
  /** Runs a function in a transaction that the package itself settles, with the settings of its documentation. */
  transaction (request: FastifyRequest, fn: (run: Run) => Promise<unknown>): Promise<unknown>
  /** The number of connections that are checked out. */
  inUse (): number
}

/** The options of all ways; each package has its own names for them. */
export interface WayOptions {
  readonly connectionString: string
  readonly connections: number
  /** The longest wait for a connection. */
  readonly waitMillis: number
  readonly statementMillis: number
}

export type WayName = 'fastify-data-access' | '@fastify/postgres' | 'drizzle-orm' | 'drizzle-orm-1'

/** How each package spells the statements that begin and end a transaction. */
export const spellings: Readonly<Record<WayName, { readonly begin: string, readonly commit: string }>> = {
  'fastify-data-access': { begin: 'begin', commit: 'commit' },
  '@fastify/postgres': { begin: 'BEGIN', commit: 'COMMIT' },
  'drizzle-orm': { begin: 'begin', commit: 'commit' },
  'drizzle-orm-1': { begin: 'begin', commit: 'commit' }
}

export const ways: Readonly<Record<WayName, (server: FastifyInstance, options: WayOptions) => Promise<Way>>> = {
  async 'fastify-data-access' (server, { connectionString, connections, waitMillis, statementMillis }) {
    await server.register(dataAccess, {
      connectionString,
      pool: { size: connections, maxOverflow: 0, timeoutSeconds: waitMillis / 1000 },
      statementTimeoutSeconds: statementMillis / 1000
    })
    return {
      transaction: ({ db }, fn) => fn((statement) => db.execute(statement)),
      inUse: () => server.db.poolInfo.inUse
    }
  },

  /** `fastify.pg.transact`, the first way in its documentation. */
  async '@fastify/postgres' (server, options) {
    await server.register(fastifyPostgres, poolConfig(options))
    const { pg: { pool, transact } } = server
    const dialect = new PgDialect()
    return {
      transaction: (_request, fn) => transact((client) => fn((statement) => {
        const { sql, params } = dialect.sqlToQuery(statement)
        return client.query(sql, params)
      })),
      inUse: () => pool.totalCount - pool.idleCount
    }
  },

  /** `db.transaction()` over a pool of node-postgres. */
  async 'drizzle-orm' (server, options) {
    const pool = openPool(server, options)
    const db = drizzle(pool)
    return {
      transaction: (_request, fn) => db.transaction((tx) => fn((statement) => tx.execute(statement))),
      inUse: () => pool.totalCount - pool.idleCount
    }
  },

  /** The same with Drizzle 1.0. */
  async 'drizzle-orm-1' (server, options) {
    const pool = openPool(server, options)
    const db = drizzle1({ client: pool })
    return {
      // Each version recognises the `sql` of the other by its name.
      transaction: (_request, fn) => db.transaction((tx) => fn((statement) => tx.execute(statement as never))),
      inUse: () => pool.totalCount - pool.idleCount
    }
  }
}

function openPool (server: FastifyInstance, options: WayOptions): pg.Pool {
  const pool = new pg.Pool(poolConfig(options))
  server.addHook('onClose', () => pool.end())
  return pool
}

function poolConfig ({ connectionString, connections, waitMillis, statementMillis }: WayOptions): pg.PoolConfig {
  return {
    connectionString,
    max: connections,
    connectionTimeoutMillis: waitMillis,
    statement_timeout: statementMillis,
    idle_in_transaction_session_timeout: 5000
  }
}
