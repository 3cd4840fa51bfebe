import { PgBouncer } from './pgbouncer.js'
import type { Test } from './test.js'

/**
 * The URL that a test opens its database with: the given one, or, with `TEST_POOLER=pgbouncer`, the way through a PgBouncer in
 * transaction mode. `npm run test:poolers -- --tests` runs the tests of test/faults like this.
 */
export async function wayTo (t: Test, url: string): Promise<string> {
  if (process.env['TEST_POOLER'] !== 'pgbouncer') return url
  const bouncer = await PgBouncer.start(url, { servers: 60 })
  t.teardown(() => bouncer.stop())
  return bouncer.connectionString
}
