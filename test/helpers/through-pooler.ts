import { PgBouncer } from './pgbouncer.js'
import type { Test } from './test.js'

/** The URLs of the servers themselves, by the port of the pooler before each. */
const servers = new Map<number, string>()

/**
 * The URL that a test opens its database with: the given one, or, with `TEST_POOLER=pgbouncer`, the way through a PgBouncer in
 * transaction mode. `npm run test:poolers -- --tests` runs the tests of test/faults like this.
 */
export async function wayTo (t: Test, url: string): Promise<string> {
  if (process.env['TEST_POOLER'] !== 'pgbouncer') return url
  const bouncer = await PgBouncer.start(url, { servers: 60 })
  servers.set(bouncer.port, url)
  t.teardown(() => bouncer.stop())
  return bouncer.connectionString
}

/** The URL of the server behind the pooler at a port; undefined if none of {@link wayTo} is there. */
export function behindPooler (port: number | undefined): string | undefined {
  return port === undefined ? undefined : servers.get(port)
}

/** Whether a line of a log says nothing but that {@link wayTo} leads through a pooler. */
export function isAboutPooler (message: string): boolean {
  return process.env['TEST_POOLER'] === 'pgbouncer' && message.startsWith('a pooler in transaction mode is between')
}

/** The text of a batch without the limits that travel with it through a pooler. */
export function withoutLimits (text: string): string {
  return process.env['TEST_POOLER'] === 'pgbouncer' ? text.replace(/select set_config\('statement_timeout'[^;]*; /, '') : text
}
