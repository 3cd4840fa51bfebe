/**
 * The figures: their names, units and buckets are those of OpenTelemetry's conventions for clients of databases, and ours where these have none.
 * https://github.com/open-telemetry/semantic-conventions/blob/v1.44.0/docs/db/database-metrics.md
 */
import type { AttributeName } from './attributes.js'

/** What OpenTelemetry and Prometheus need to know of a figure. */
interface Described {
  readonly name: string
  /** In the notation of UCUM: `s` for seconds, a noun in braces for a count. */
  readonly unit: string
  readonly description: string
  /** The attributes that its values may have. */
  readonly attributes: readonly AttributeName[]
}

/** Single values, counted by size. */
export interface HistogramFigure extends Described {
  readonly kind: 'histogram'
  /** The upper limits of its buckets. */
  readonly buckets: readonly number[]
}

/** A count that is read when somebody asks for it: a `counter` only grows, an `upDownCounter` is the count of this moment. */
export interface ObservedFigure extends Described {
  readonly kind: 'counter' | 'upDownCounter'
}

/** A figure. */
export type Figure = HistogramFigure | ObservedFigure

/** The buckets that the conventions give to the duration of an operation. They give none to the other times. */
const seconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]
const rows = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]

const ofStatements: readonly AttributeName[] = [
  'db.system.name', 'db.namespace', 'db.collection.name', 'db.operation.name', 'db.query.summary', 'db.response.status_code', 'error.type', 'server.address', 'server.port'
]
const ofPools: readonly AttributeName[] = ['db.client.connection.pool.name']

/** The time of each statement that was sent, from its sending to its response. The wait for a connection is a figure of its own. */
export const operationDuration: HistogramFigure = {
  name: 'db.client.operation.duration', kind: 'histogram', unit: 's', description: 'Duration of database client operations.', attributes: ofStatements, buckets: seconds
}

export const returnedRows: HistogramFigure = {
  name: 'db.client.response.returned_rows',
  kind: 'histogram',
  unit: '{row}',
  description: 'The actual number of records returned by the database operation.',
  attributes: ofStatements,
  buckets: rows
}

/** How long it took to open a connection of the package's own pool. */
export const createTime: HistogramFigure = {
  name: 'db.client.connection.create_time', kind: 'histogram', unit: 's', description: 'The time it took to create a new connection.', attributes: ofPools, buckets: seconds
}

/** Only waits that ended with a connection; the others are {@link timeouts}, or failures of their statements. */
export const waitTime: HistogramFigure = {
  name: 'db.client.connection.wait_time',
  kind: 'histogram',
  unit: 's',
  description: 'The time it took to obtain an open connection from the pool.',
  attributes: ofPools,
  buckets: seconds
}

export const useTime: HistogramFigure = {
  name: 'db.client.connection.use_time',
  kind: 'histogram',
  unit: 's',
  description: 'The time between borrowing a connection and returning it to the pool.',
  attributes: ofPools,
  buckets: seconds
}

export const connectionCount: ObservedFigure = {
  name: 'db.client.connection.count',
  kind: 'upDownCounter',
  unit: '{connection}',
  description: 'The number of connections that are currently in state described by the state attribute.',
  attributes: ['db.client.connection.pool.name', 'db.client.connection.state']
}

export const connectionMax: ObservedFigure = {
  name: 'db.client.connection.max', kind: 'upDownCounter', unit: '{connection}', description: 'The maximum number of open connections allowed.', attributes: ofPools
}

export const idleMin: ObservedFigure = {
  name: 'db.client.connection.idle.min', kind: 'upDownCounter', unit: '{connection}', description: 'The minimum number of idle open connections allowed.', attributes: ofPools
}

export const idleMax: ObservedFigure = {
  name: 'db.client.connection.idle.max', kind: 'upDownCounter', unit: '{connection}', description: 'The maximum number of idle open connections allowed.', attributes: ofPools
}

export const pendingRequests: ObservedFigure = {
  name: 'db.client.connection.pending_requests',
  kind: 'upDownCounter',
  unit: '{request}',
  description: 'The number of current pending requests for an open connection.',
  attributes: ofPools
}

/** Waits that found no free connection in time, and those that were refused because too many wait. */
export const timeouts: ObservedFigure = {
  name: 'db.client.connection.timeouts',
  kind: 'counter',
  unit: '{timeout}',
  description: 'The number of connection timeouts that have occurred trying to obtain a connection from the pool.',
  attributes: ofPools
}

export const transactions: ObservedFigure = {
  name: 'data_access.transactions',
  kind: 'counter',
  unit: '{transaction}',
  description: 'The number of transactions that have ended, by outcome. That of a commit whose response was lost is unknown.',
  attributes: ['data_access.database', 'data_access.transaction.outcome']
}

export const retries: ObservedFigure = {
  name: 'data_access.retries',
  kind: 'counter',
  unit: '{retry}',
  description: 'The number of transactions that were repeated because they collided with another one, by SQLSTATE.',
  attributes: ['data_access.database', 'db.response.status_code']
}

export const leaks: ObservedFigure = {
  name: 'data_access.leaks', kind: 'counter', unit: '{leak}', description: 'The number of connections that were held for longer than leakWarningSeconds.', attributes: ofPools
}

/** The figures that are recorded value by value. */
export const histograms: readonly HistogramFigure[] = [operationDuration, returnedRows, createTime, waitTime, useTime]

/** The figures that are read when somebody asks for them. */
export const observed: readonly ObservedFigure[] = [
  connectionCount, connectionMax, idleMin, idleMax, pendingRequests, timeouts, transactions, retries, leaks
]

/** All figures. */
export const figures: readonly Figure[] = [...histograms, ...observed]
