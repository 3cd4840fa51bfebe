/**
 * Proves what `npm pack` makes: packs it, looks at it with attw and publint, installs it into empty projects, and runs it there.
 *
 * The projects stay in the temporary directory, so that the second run needs no network.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { startPostgres } from '../../src/testing/index.js'
import { commandProject, createTable, scriptConfig, scriptProject, serverProject, testingProject } from './consumer.js'
import { neighbours, neighboursProject } from './neighbours.js'

interface Manifest {
  readonly devDependencies: Readonly<Record<string, string>>
}

const projectRoot = join(import.meta.dirname, '..', '..')
const cache = join(tmpdir(), `fastify-data-access-package-${userInfo().uid}`)
const { devDependencies } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as Manifest
const compilers = ['5.9', '6.0', '7.0']

let passed = 0
let failed = 0

async function check (title: string, fn: () => Promise<unknown>): Promise<void> {
  try {
    await fn()
    passed++
    console.log(`ok - ${title}`)
  } catch (error) {
    failed++
    console.log(`not ok - ${title}\n${outputOf(error)}`)
  }
}

function outputOf (error: unknown): string {
  const { stdout, stderr, message } = error as { stdout?: string, stderr?: string, message: string }
  return [message, stdout, stderr].filter(Boolean).join('\n')
}

async function run (
  command: string,
  args: readonly string[],
  { cwd = projectRoot, env = {} }: { cwd?: string, env?: Record<string, string> } = {}
): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd, env: { ...process.env, ...env }, maxBuffer: 2 ** 26, timeout: 240_000 })
  return stdout
}

async function pack (): Promise<string> {
  mkdirSync(cache, { recursive: true })
  const lines = (await run('npm', ['pack', '--silent', '--pack-destination', cache])).trim().split('\n')
  return join(cache, lines.at(-1) ?? '')
}

/** An empty project with the packed file and those packages in it. */
async function install (name: string, tarball: string, packages: readonly string[]): Promise<string> {
  const folder = join(cache, name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }))
  // npm trusts a file of the same name and version to be the same.
  rmSync(join(folder, 'node_modules', 'fastify-data-access'), { recursive: true, force: true })
  await run('npm', ['install', '--no-save', '--no-package-lock', '--prefer-offline', '--no-audit', '--no-fund', tarball, ...packages], { cwd: folder })
  return folder
}

function write (folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
}

function wanted (...names: string[]): string[] {
  return names.map((name) => `${name}@${devDependencies[name]}`)
}

function compilerOf (folder: string, version: string): string {
  const home = join(folder, 'node_modules', `typescript-${version}`)
  const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { bin: { tsc: string } }
  return join(home, bin.tsc)
}

/** Type-checks with our own declarations, too; those of other packages are theirs. */
async function typeCheck (folder: string, version: string): Promise<void> {
  const compiler = compilerOf(folder, version)
  await run(process.execPath, [compiler, '-p', '.'], { cwd: folder })
  const all = await run(process.execPath, [compiler, '-p', '.', '--noEmit', '--skipLibCheck', 'false', '--pretty', 'false'], { cwd: folder })
    .catch((error: unknown) => outputOf(error))
  const ours = all.split('\n').filter((line) => line.includes('fastify-data-access/'))
  if (ours.length > 0) throw new Error(ours.join('\n'))
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** Starts a server with the routes of the README's first example, and uses it as a client would. */
async function useExample (program: string, connectionString: string): Promise<void> {
  const port = await freePort()
  const child = spawn(process.execPath, [program], {
    cwd: dirname(program), stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, PORT: String(port), DATABASE_URL: connectionString }
  })
  try {
    let log = ''
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`The example ended: ${log}`)))
      child.stdout.on('data', (chunk) => { log += chunk; if (log.includes('Server listening')) resolve() })
    })
    const url = `http://127.0.0.1:${port}`
    const body = JSON.stringify({ name: 'Ada', email: 'ada@example.com' })
    const created = await fetch(`${url}/users`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const { id } = await created.json() as { id: number }
    const statuses = [created.status]
    for (const path of [`/users/${id}`, `/users/${id + 1}`, '/health/database', '/health/database/pool']) statuses.push((await fetch(url + path)).status)
    if (statuses.join() !== '201,200,404,200,200') throw new Error(`The example answered ${statuses.join()}: ${log}`)
  } finally {
    child.kill('SIGKILL')
  }
}

async function checkInstalled (tarball: string): Promise<void> {
  const postgres = await startPostgres({ folder: mkdtempSync(join(tmpdir(), 'package-')), persistent: false })
  try {
    const { connectionString } = postgres
    await execute(connectionString, createTable)
    await checkScript(tarball, connectionString)
    await checkServer(tarball, connectionString)
    await checkNeighbours(tarball, await databaseFor(connectionString, 'neighbours', createTable))
    await checkTesting(tarball, connectionString)
    await checkCommand(connectionString)
  } finally {
    await postgres.stop()
  }
}

async function checkScript (tarball: string, connectionString: string): Promise<void> {
  const folder = await install('script', tarball, wanted('drizzle-orm', 'pg'))
  write(folder, scriptProject)
  await check('the core works where Fastify is not installed', () => run(process.execPath, ['core.mjs'], {
    cwd: folder, env: { DATABASE_URL: connectionString }
  }))
}

async function checkServer (tarball: string, connectionString: string): Promise<void> {
  const typescripts = compilers.map((version) => `typescript-${version}@npm:typescript@~${version}.0`)
  const folder = await install('server', tarball, [...wanted('drizzle-orm', 'pg', 'fastify', '@types/node'), ...typescripts])
  write(folder, serverProject())
  await check('ES modules import every door', () => run(process.execPath, ['import.mjs'], { cwd: folder }))
  await check('CommonJS requires it', () => run(process.execPath, ['require.cjs'], { cwd: folder }))
  for (const version of compilers) {
    await check(`the first example of README.md type-checks with TypeScript ${version}`, () => typeCheck(folder, version))
  }
  await check('the first example of README.md runs', () => useExample(join(folder, 'out', 'main.js'), connectionString))
}

async function checkNeighbours (tarball: string, connectionString: string): Promise<void> {
  const folder = await install('neighbours', tarball, [
    ...wanted('drizzle-orm', 'pg', 'fastify', '@fastify/swagger', '@fastify/type-provider-typebox', '@sinclair/typebox'),
    ...neighbours
  ])
  write(folder, neighboursProject)
  const node = (...args: string[]) => () => run(process.execPath, args, { cwd: folder, env: { DATABASE_URL: connectionString } })
  await check('a CommonJS bundle of esbuild runs where nothing is installed', async () => {
    const bundle = join(cache, 'bundle', 'server.cjs')
    await run(
      'npx',
      ['--no-install', 'esbuild', 'bundled.mjs', '--bundle', '--platform=node', '--format=cjs', `--outfile=${bundle}`, '--log-level=error'],
      { cwd: folder }
    )
    await useExample(bundle, connectionString)
  })
  await check('lists and health routes work under the compilers of fastify-type-provider-zod, and OpenAPI shows them', node('zod.mjs'))
  await check('lists and health routes work under the validator of TypeBox 0.34, and OpenAPI shows them', node('sinclair.mjs'))
  await check('lists and health routes work under the validator of TypeBox 1, and OpenAPI shows them', node('typebox.mjs'))
  await check('the spans of @opentelemetry/instrumentation-pg end, in the trace of their request', node('--import', './tracing.mjs', 'traced.mjs'))
}

async function checkTesting (tarball: string, connectionString: string): Promise<void> {
  const folder = await install(
    'testing',
    tarball,
    wanted('drizzle-orm', 'pg', 'fastify', 'drizzle-kit', 'tsx', 'tap', 'vitest', 'vite', '@types/node', 'typescript')
  )
  rmSync(join(folder, 'drizzle'), { recursive: true, force: true })
  write(folder, testingProject())
  const npx = (...args: string[]) => () => run('npx', ['--no-install', ...args], { cwd: folder, env: { DATABASE_URL: connectionString } })
  await npx('drizzle-kit', 'generate', '--dialect', 'postgresql', '--schema', './schema.ts')()
  await check('the tests of docs/testing.md type-check', npx('tsc', '-p', '.'))
  await check('its tests for node:test pass', npx('tsx', '--test', 'node.test.ts'))
  await check('its tests for Vitest pass', npx('vitest', 'run', 'vitest.test.ts'))
  await check('its tests for tap pass', npx('tap', '--disable-coverage', 'tap.test.ts'))
}

/** Writes migrations where drizzle-kit is installed and everything is TypeScript, and runs them where neither is. */
async function checkCommand (connectionString: string): Promise<void> {
  const author = join(cache, 'testing', 'command')
  const runner = join(cache, 'script', 'command')
  for (const folder of [author, runner]) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
  }
  write(author, commandProject)
  write(runner, { 'drizzle.config.mjs': scriptConfig })
  const migrate = async (cwd: string, ...args: string[]) => await run(
    'npx',
    ['--no-install', 'data-access', 'migrate', ...args],
    { cwd, env: { DATABASE_URL: await databaseFor(connectionString, cwd === author ? 'author' : 'runner') } }
  )
  await check('data-access migrate create and up work with a TypeScript configuration and schema', async () => {
    await migrate(author, 'create', '-m', 'notes')
    expectText(await migrate(author, 'up', '--json'), '"tag":"0000_notes"')
    expectText(await migrate(author, 'check'), 'Tables, folder and database match')
  })
  await check('data-access migrate up and down work with a JavaScript configuration, without drizzle-kit and TypeScript', async () => {
    cpSync(join(author, 'drizzle'), join(runner, 'drizzle'), { recursive: true })
    expectText(await migrate(runner, 'up'), '0000_notes')
    expectText(await migrate(runner, 'down'), '1 rolled back')
  })
  await check('Ctrl-C stops a migration that runs, of which PostgreSQL keeps nothing', async () => {
    writeFileSync(join(runner, 'drizzle', '0000_notes.sql'), 'create table interrupted (id int);--> statement-breakpoint\nselect pg_sleep(60);')
    const connectionStringOfRunner = await databaseFor(connectionString, 'runner')
    const client = new Client({ connectionString: connectionStringOfRunner })
    await client.connect()
    const command = spawn(join(cache, 'script', 'node_modules', '.bin', 'data-access'), ['migrate', 'up'], {
      cwd: runner, env: { ...process.env, DATABASE_URL: connectionStringOfRunner }, stdio: 'ignore'
    })
    const ended = once(command, 'exit')
    const isAsleep = async () =>
      (await client.query("select from pg_stat_activity where datname = current_database() and query like 'select pg_sleep(60)%' and state = 'active'")).rowCount !==
      0
    while (command.exitCode === null && !await isAsleep()) await setTimeout(50)
    command.kill('SIGINT')
    const [code] = await ended
    const { rows: [kept] } = await client.query<{ table: string | null }>("select to_regclass('interrupted') as table")
    await client.end()
    if (code !== 130 || kept?.table !== null) throw new Error(`exit code ${code}, ${kept?.table} kept`)
  })
}

async function execute (connectionString: string, statement: string): Promise<void> {
  const client = new Client({ connectionString })
  await client.connect()
  await client.query(statement)
  await client.end()
}

async function databaseFor (connectionString: string, name: string, content?: string): Promise<string> {
  const client = new Client({ connectionString })
  await client.connect()
  if ((await client.query('select 1 from pg_database where datname = $1', [name])).rowCount === 0) await client.query(`create database ${name}`)
  await client.end()
  const address = Object.assign(new URL(connectionString), { pathname: `/${name}` }).href
  if (content !== undefined) await execute(address, content)
  return address
}

function expectText (text: string, part: string): void {
  if (!text.includes(part)) throw new Error(`Without ${part}: ${text}`)
}

await check('the package can be packed and installed', async () => {
  const tarball = await pack()
  await check('attw is content with the packed file', () => run('npx', ['--no-install', 'attw', tarball, '--profile', 'esm-only']))
  await check('publint is content with the packed file', () => run('npx', ['--no-install', 'publint', tarball, '--strict']))
  await checkInstalled(tarball)
})
console.log(`${passed} of ${passed + failed} checks of the packed file passed`)
process.exitCode = failed === 0 ? 0 : 1
