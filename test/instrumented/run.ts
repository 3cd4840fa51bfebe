/**
 * Runs the tests that talk to the database with OpenTelemetry's instrumentation of pg around them, one group of test/together after the other:
 * `npm run test:instrumented`, or `npm run test:instrumented -- session rows` for some groups.
 * Those of a scripted PostgreSQL are left out by test/together.
 */
import { spawnSync } from 'node:child_process'

const databaseGroups = ['session', 'requests', 'connection', 'pool', 'rows', 'writes', 'outages', 'replies', 'plugins']

const given = process.argv.slice(2)
const loader = new URL('loader.js', import.meta.url).href
const failed: string[] = []
for (const group of given.length > 0 ? given : databaseGroups) {
  console.log(`# ${group}`)
  const { status } = spawnSync('npx', ['tap', `test/together/${group}.test.ts`, '--disable-coverage', '--jobs=2', '--reporter=terse'], {
    stdio: 'inherit', env: { ...process.env, INSTRUMENTED: '1', NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${loader}`.trim() }
  })
  if (status !== 0) failed.push(group)
}
console.log(failed.length === 0 ? 'All groups passed with the instrumentation' : `Tests failed with the instrumentation in: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
