/** Tells a browser's network panel what a request cost the database. https://www.w3.org/TR/server-timing/ */
import { rounded } from './request-usage.js'
import type { FastifyReply } from 'fastify'
import type { RequestUsage } from './request-usage.js'

/** Our own metrics in a header that others may write, too. */
const ours = /^db(-wait)?;/

/** Sets the header `Server-Timing`; the metrics that the program has set stay. Its own `db` and `db-wait` are replaced. */
export function writeServerTiming (reply: FastifyReply, { statements, databaseMillis, waitMillis }: RequestUsage): void {
  const given = [reply.getHeader('server-timing') ?? []].flat().map(String)
  const others = given.flatMap((value) => value.split(/,\s*/)).filter((metric) => !ours.test(metric))
  const description = `${statements} ${statements === 1 ? 'statement' : 'statements'}`
  reply.header('server-timing', [...others, `db;dur=${rounded(databaseMillis)};desc="${description}"`, `db-wait;dur=${rounded(waitMillis)}`].join(', '))
}
