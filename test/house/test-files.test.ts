import { execFileSync } from 'node:child_process'
import t from 'tap'
import { groups, onlyUninstrumented } from '../together/groups.js'
import { projectRoot, readTree } from './source-files.js'

const left = /^(examples\/(testing|tutorial)|test\/types)\//

t.test('npm test runs every test file once, by itself or in one group of test/together', async (t) => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TAP')))
  const listed = execFileSync('npx', ['tap', 'list'], { cwd: projectRoot, encoding: 'utf8', env }).trim().split('\n').map((path) => path.replaceAll('\\', '/'))
  const files = readTree(projectRoot).map(({ path }) => path).filter((path) => /^(test|examples)\/.*\.test\.ts$/.test(path) && !left.test(path))
  const patterns = Object.values(groups)

  t.ok(files.length > 150)
  t.strictSame(listed.filter((path) => !files.includes(path)), [])
  t.strictSame(files.filter((path) => patterns.filter((group) => group.test(path)).length + (listed.includes(path) ? 1 : 0) !== 1), [])
})

t.test('each group has a file of its name', async (t) => {
  const entries = readTree(projectRoot).map(({ path }) => path).filter((path) => /^test\/together\/.*\.test\.ts$/.test(path))
  t.strictSame(entries, Object.keys(groups).sort().map((name) => `test/together/${name}.test.ts`))
})

t.test('no test with a scripted PostgreSQL runs with an instrumentation of pg, whose statements the script does not expect', async (t) => {
  const scripted = readTree(projectRoot).filter(({ path, text }) => path.endsWith('.test.ts') && / from '.*\/scripted-postgres\.js'/.test(text))
  t.ok(scripted.length > 5)
  t.strictSame(scripted.map(({ path }) => path).filter((path) => !onlyUninstrumented.some((pattern) => pattern.test(path))), [])
})

t.test('a test that looks at the backends or locks of its server, which others use, looks at those of its own database', async (t) => {
  const shared = readTree(projectRoot).filter(({ path }) => /^test\/(faults|helpers|plugins|src)\//.test(path))
  /** A query of a view, and what tells its own backends from others: the database, a process, or a name. Only a server of the test's own has standbys. */
  const queries = shared.flatMap(({ path, text }) => [...text.matchAll(/(?:from|join) pg_(?:locks|stat_activity)\b.{0,160}/gs)].map(([query]) => ({ path, query })))
  t.ok(queries.length > 30)
  t.strictSame(queries.filter(({ query }) => !/current_database\(\)|datname|\bpid = |application_name|SyncRep/.test(query)), [])
})
