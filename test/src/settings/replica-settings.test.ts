import { inspect } from 'node:util'
import t from 'tap'
import { readEnvironment, resolveSettings } from '../../../src/settings/settings.js'
import type { DatabaseOptions } from '../../../src/settings/settings.js'

const url = 'postgresql://ada:hush@primary/shop'
const replica = (number: number): string => `postgresql://ada:hush@replica-${number}/shop`

t.test('replicas have the settings of the primary unless they have their own', async (t) => {
  const { replicas } = resolveSettings({
    connectionString: url,
    pool: { size: 7, timeoutSeconds: 3 },
    replicas: { connectionStrings: [replica(1), replica(2)], maxLagMillis: 250, pool: { size: 2, maxOverflow: 0, timeoutSeconds: undefined } }
  }, {})
  t.match(replicas, {
    connections: [{ host: 'replica-1', connectionTimeoutMillis: 3000, statement_timeout: 15_000 }, { host: 'replica-2' }],
    pool: { size: 2, max: 2, maxWaiting: Infinity, timeoutMillis: 3000 },
    maxLagMillis: 250
  })
  t.equal(replicas?.connections[0]?.password, 'hush')
})

t.test('the environment names them with spaces in between, and shows none', async (t) => {
  const environment = readEnvironment({ DATABASE_URL: url, DATABASE_REPLICA_URLS: ` ${replica(1)}  ${replica(2)} ` })
  const { replicas } = resolveSettings({}, environment)
  t.match(replicas, { connections: [{ host: 'replica-1' }, { host: 'replica-2' }], pool: { size: 20 }, maxLagMillis: 1000 })
  t.notMatch(inspect([environment, replicas]), 'hush')
  t.notMatch(JSON.stringify([environment, replicas]), 'hush')
})

t.test('without a URL there are none', async (t) => {
  for (const replicas of [undefined, {}, { maxLagMillis: 5 }, { connectionStrings: [] }]) {
    t.equal(resolveSettings({ connectionString: url, replicas }, { DATABASE_REPLICA_URLS: '' }).replicas, undefined)
  }
  t.match(resolveSettings({ connectionString: url, replicas: { connectionStrings: [] } }, { DATABASE_REPLICA_URLS: replica(1) }), { replicas: undefined })
})

t.test('an option that cannot be used is refused by name', async (t) => {
  const bad: Array<[unknown, RegExp]> = [
    [[], /^replicas must be an object/],
    [{ urls: [] }, /^replicas.urls is not an option: use /],
    [{ connectionStrings: [''] }, /^replicas.connectionStrings must be an array of URLs/],
    [{ connectionStrings: ['hush'] }, /^replicas.connectionStrings (?!.*hush)/],
    [{ maxLagMillis: 0 }, /^replicas.maxLagMillis must be a number of milliseconds from 1/],
    [{ pool: 5 }, /^replicas.pool must be an object/],
    [{ connectionStrings: [replica(1)], pool: { max: 5 } }, /^replicas.pool.max is not an option: use size, maxOverflow/],
    [{ connectionStrings: [replica(1)], pool: { size: 0 } }, /^replicas.pool.size must be a whole number from 1/]
  ]
  for (const [replicas, message] of bad) t.throws(() => resolveSettings({ connectionString: url, replicas } as DatabaseOptions, {}), message)
  t.throws(() => resolveSettings({ connectionString: url }, { DATABASE_REPLICA_URLS: 'hush' }), /^DATABASE_REPLICA_URLS (?!.*hush)/)
})
