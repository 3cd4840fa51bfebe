import { rounded } from './request-usage.js'
import type { FastifyRequest } from 'fastify'
import type { RequestUsage } from './request-usage.js'

/**
 * Writes one line about a request that used a database: at `debug`, and at `warn` with its slowest text if the time of its statements
 * and waits reaches the limit.
 */
export function logUsage (request: FastifyRequest, usage: RequestUsage, slowMillis: number): void {
  const { statements, rows, outcome = 'none', slowest } = usage
  const fields = { route: `${request.method} ${request.routeOptions.url ?? '(no route)'}`, statements, rows, waitMillis: rounded(usage.waitMillis), databaseMillis: rounded(usage.databaseMillis), outcome }
  if (usage.waitMillis + usage.databaseMillis < slowMillis) request.log.debug(fields, 'database work of a request')
  else request.log.warn({ ...fields, slowest }, 'slow database work of a request')
}
