import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { loaderFor, sharedPostgres } from '../../../src/testing/postgres/shared-server.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { projectRoot } from '../../house/source-files.js'
import { startAsUser, type Started } from '../../helpers/child.js'
import { freePort } from '../../helpers/free-port.js'
import { readPage } from '../../helpers/markdown.js'
import { call } from '../migrations/cli/calling.js'
import { filesOf } from './trees.js'

const command = fileURLToPath(new URL('../../helpers/command-process.ts', import.meta.url))
const doors = { '.': 'plugins', './testing': 'src/testing', './migrations': 'src/migrations' }

/** A new service, in which this package's sources are installed. */
async function build (t: Test): Promise<string> {
  const cwd = t.testdir()
  t.match(await call(cwd, ['init', '--yes']), { code: 0 })
  const home = join(cwd, 'node_modules/fastify-data-access')
  mkdirSync(home, { recursive: true })
  const exports = Object.entries(doors).map(([door, folder], index) => {
    const source = JSON.stringify(join(projectRoot, folder, 'index.ts'))
    writeFileSync(join(home, `door${index}.js`), `export * from ${source}\n${door === '.' ? `export { default } from ${source}\n` : ''}`)
    return [door, `./door${index}.js`]
  })
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'fastify-data-access', type: 'module', exports: Object.fromEntries(exports) }))
  return cwd
}

/** Starts Node in the service, as its scripts do. The service is for Drizzle 0.45, whatever this test runs with. */
function start (t: Test, cwd: string, args: readonly string[], env: Record<string, string> = {}): Started {
  return startAsUser(t, [...loaderFor(import.meta.url.replace(/[^.]*$/, 'ts')), ...args], { cwd, env: { DATABASE_URL: undefined, ...env } })
}

/**
 * Runs the command in the service. It is a process of its own, because the tables of the service import this package, which would be loaded a second
 * time here: its other line numbers would spoil the coverage.
 */
async function run (t: Test, cwd: string, args: readonly string[], env?: Record<string, string>): Promise<{ code: number | null, out: string }> {
  const { child, closed } = start(t, cwd, [command, ...args], env)
  let out = ''
  child.stdout?.on('data', (text) => { out += text })
  return { code: await closed, out }
}

/** Runs the tests of the service. */
async function runTests (t: Test, cwd: string): Promise<{ code: number | null, output: string }> {
  const { closed, output } = start(t, cwd, ['--test', '--test-reporter=tap', 'notes.test.ts'], {
    DATABASE_URL: process.env['DATABASE_URL'] || await sharedPostgres()
  })
  return { code: await closed, output: output() }
}

/** Starts the server of the service, and returns its URL. */
async function listen (t: Test, cwd: string, env: Record<string, string> = {}) {
  const started = start(t, cwd, ['server.ts'], { PORT: String(await freePort()), HOST: '127.0.0.1', ...env })
  await started.says(/Ctrl-C ends it\./)
  const [, url = ''] = await started.says(/served at (\S+)\. Try/)
  return { ...started, url, printed: /DATABASE_URL=(\S+) npx data-access migrate status$/m.exec(started.output())?.[1] }
}

/** Ends a process as an operator does, and returns its exit code. */
async function stop ({ child, closed }: Started): Promise<number | null> {
  child.kill('SIGTERM')
  return await closed
}

async function write (url: string, note: { title: string, colour?: string }): Promise<object> {
  const reply = await fetch(`${url}/notes`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(note) })
  return { status: reply.status, ...await reply.json() as object }
}

async function titles (url: string): Promise<string[]> {
  return (await (await fetch(`${url}/notes`)).json() as Array<{ title: string }>).map(({ title }) => title)
}

t.test('the tests of a new service pass', async (t) => {
  const { code, output } = await runTests(t, await build(t))
  t.equal(code, 0, output)
  t.match(output, /^# pass 6$/m)
})

t.test('the tests of a service tell of a migration that is missing', async (t) => {
  const cwd = await build(t)
  const schema = join(cwd, 'schema.ts')
  writeFileSync(schema, readFileSync(schema, 'utf8').replace("default(''),", "default(''),\n  colour: text(),"))
  const { code, output } = await runTests(t, cwd)
  t.equal(code, 1)
  t.match(output, /^not ok \d+ - the migrations make the tables of schema\.ts$[^]*The tables of the model differ from the newest migration: write the next one with data-access migrate create/m)
})

t.test('a new service starts with a PostgreSQL of its own, whose rows are there after the next start', async (t) => {
  const cwd = await build(t)
  const first = await listen(t, cwd)
  t.match(await write(first.url, { title: 'Bread' }), { status: 201, title: 'Bread' })
  t.equal((await fetch(`${first.url}/health/database`)).status, 200)
  t.match(await run(t, cwd, ['migrate', 'status'], { DATABASE_URL: first.printed! }), { code: 0, out: /0000_notes/ })
  t.equal(await stop(first), 0)

  const second = await listen(t, cwd)
  t.strictSame(await titles(second.url), ['Bread'])
  t.equal(await stop(second), 0)
})

t.test('a new service uses the database of .env, and so does the command', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const cwd = await build(t)
  writeFileSync(join(cwd, '.env'), `DATABASE_URL=${connectionString}\n`)
  const service = await listen(t, cwd)
  t.equal(service.printed, undefined)
  t.match(await write(service.url, { title: 'Salt' }), { status: 201 })
  t.match(await write(service.url, { title: '' }), { status: 400 })
  t.equal(await stop(service), 0)

  t.notOk(Object.keys(filesOf(cwd)).some((path) => path.startsWith('.data')))
  t.match(await run(t, cwd, ['migrate', 'check'], { DATABASE_URL: connectionString }), { code: 0 })
  t.match(await run(t, cwd, ['migrate', 'down', '--confirm-irreversible'], { DATABASE_URL: connectionString }), { code: 0, out: /^1 rolled back\n {2}0000_notes\n {2}dropped 1 row of notes\n$/ })
})

t.test('the first migration is what migrate create writes for the table', async (t) => {
  const cwd = await build(t)
  const shipped = join(cwd, 'shipped')
  renameSync(join(cwd, 'drizzle'), shipped)
  t.match(await run(t, cwd, ['migrate', 'create', '-m', 'notes']), { code: 0, out: 'Wrote 0000_notes.sql and 0000_notes.down.sql\n' })

  const known = (text: string): string => text.replace(/"when": \d+/, '"when": 0').replace(/"id": "[0-9a-f-]{36}"/, '"id": ""')
  const all = (folder: string) => Object.fromEntries(Object.entries(filesOf(folder)).map(([path, text]) => [path, known(text)]))
  t.strictSame(all(shipped), all(join(cwd, 'drizzle')))
})

t.test('the change of docs/start.md is a migration and a schema for clients', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const cwd = await build(t)
  const schema = join(cwd, 'schema.ts')
  for (const { code } of readPage('docs/start.md').blocks.filter(({ language }) => language === 'diff')) {
    const lines = (mark: string) => code.split('\n').filter((line) => line.startsWith(mark)).map((line) => line.slice(1))
    const text = readFileSync(schema, 'utf8')
    const [before] = lines(' ')
    const changed = lines('-').length === 0
      ? text.replace(`${before}\n`, `${before}\n${lines('+').join('\n')}\n`)
      : lines('-').reduce((result, line, index) => result.replace(line, lines('+')[index]!), text)
    t.not(changed, text)
    writeFileSync(schema, changed)
  }
  t.match(await run(t, cwd, ['migrate', 'create', '-m', 'add a colour']), { code: 0, out: /^Wrote 0001_add_a_colour\.sql/ })

  const service = await listen(t, cwd, { DATABASE_URL: connectionString })
  t.match(await write(service.url, { title: 'Bread', colour: 'brown' }), { status: 201, title: 'Bread', colour: 'brown' })
  t.equal(await stop(service), 0)
})

t.test('the first migration is as old as the service, so that every later one is newer', async (t) => {
  const before = Date.now()
  const cwd = await build(t)
  const { entries: [{ when }] } = JSON.parse(readFileSync(join(cwd, 'drizzle/meta/_journal.json'), 'utf8'))

  t.ok(when >= before && when <= Date.now())
  t.match(await run(t, cwd, ['migrate', 'create', '-m', 'again']), { code: 0, out: 'Nothing to do: the tables match the newest migration\n' })
})
