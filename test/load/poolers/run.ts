/**
 * The promises through a real PgBouncer, which must be installed: `npm run test:poolers`, with `-- --seconds 300` for a longer load,
 * `-- --names` where PgBouncer keeps names (1.21 or newer, with `max_prepared_statements`), `-- --tests` for the tests of test/faults as well.
 *
 * Exits with 1 if a promise was broken.
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { startPostgres } from '../../../src/testing/index.js'
import { PgBouncer } from '../../helpers/pgbouncer.js'
import { tables as schema } from '../../helpers/schema.js'
import { newFolder } from '../crash/cluster.js'
import { tables } from '../crash/tables.js'
import { checkLimits, countRoundTrips, interleave } from './calm.js'
import { testsThroughPooler } from './tests.js'
import { strike } from './under-load.js'
import type { Result } from './calm.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    sessions: { type: 'string', default: '10000' },
    names: { type: 'boolean', default: false },
    tests: { type: 'boolean', default: false }
  }
})

const version = spawnSync('pgbouncer', ['--version'], { encoding: 'utf8' }).stdout?.split('\n')[0]
if (version === undefined) throw new Error('npm run test:poolers needs PgBouncer: install it, so that pgbouncer is on the PATH')
console.log(`${version}, names ${values.names ? 'kept' : 'not kept'}`)

const postgres = await startPostgres({ folder: newFolder() })
const bouncer = await PgBouncer.start(postgres.connectionString, values.names ? { settings: { max_prepared_statements: 200 } } : {})
const direct = new Client(postgres.connectionString)
await direct.connect()
await direct.query(schema)
await direct.query(tables)

let broken = 0
const tell = (results: readonly Result[]): void => {
  for (const { what, seen, isKept } of results) {
    console.log(`${isKept ? 'kept  ' : 'BROKEN'} ${what}: ${seen}`)
    if (!isKept) broken++
  }
}
tell(await checkLimits(bouncer.connectionString, direct))
tell(await countRoundTrips(bouncer.connectionString))
tell(await interleave(bouncer.connectionString, Number(values.sessions)))
tell(await strike(bouncer, direct, Number(values.seconds)))
await direct.end()
await bouncer.stop()
await postgres.stop()
if (values.tests) for await (const result of testsThroughPooler()) tell([result])
console.log(broken === 0 ? 'all promises kept' : `${broken} broken`)
process.exit(broken === 0 ? 0 : 1)
