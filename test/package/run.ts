/**
 * Proves what `npm pack` makes: packs it, or takes the given file, looks at it with attw and publint, installs it into empty projects,
 * and runs it there.
 *
 * The projects stay in the temporary directory, so that the second run needs no network.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Client } from 'pg'
import { startPostgres } from '../../src/testing/index.js'
import { commandProject, createTable, scriptConfig, scriptProject, serverProject, testingProject } from './consumer.js'
import { checkContents } from './contents.js'
import { checkDrizzle1, checkRefusedVersions } from './drizzle-versions.js'
import { checkInit } from './init.js'
import { neighbours, neighboursProject } from './neighbours.js'
import { checkCompiledCode, otherNodes } from './nodes.js'
import { cache, check, compilers, counts, install, pack, run, typeCheck, wanted, write } from './project.js'
import { checkTypebox } from './typebox.js'
import { checkUpgrade } from './upgrade.js'
import { useExample } from './use-example.js'

const [,, packed] = process.argv

async function checkInstalled (tarball: string): Promise<void> {
  const postgres = await startPostgres({ folder: mkdtempSync(join(tmpdir(), 'package-')), persistent: false })
  try {
    const { connectionString } = postgres
    await execute(connectionString, createTable)
    // Side by side, for the two cores that most machines have: npm waits more than it works.
    await Promise.all([checkDrizzle045(tarball, connectionString), checkOtherDrizzles(tarball, connectionString)])
  } finally {
    await postgres.stop()
  }
}

async function checkDrizzle045 (tarball: string, connectionString: string): Promise<void> {
  await checkScript(tarball, connectionString)
  await checkInit(tarball, {
    command: join(cache, 'script', 'node_modules', '.bin', 'fastify-data-access'), connectionString: await databaseFor(connectionString, 'init')
  })
  await checkServer(tarball, connectionString)
  await checkNeighbours(tarball, await databaseFor(connectionString, 'neighbours', createTable))
  await checkTesting(tarball, connectionString)
  await checkCommand(connectionString)
}

async function checkOtherDrizzles (tarball: string, connectionString: string): Promise<void> {
  await checkRefusedVersions(tarball)
  await checkTypebox(tarball)
  await checkDrizzle1(tarball, await databaseFor(connectionString, 'drizzle_1', createTable))
  await checkUpgrade(tarball, await databaseFor(connectionString, 'upgraded'))
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
  const folder = await install('server', tarball, [...wanted('drizzle-orm', 'pg', 'fastify', '@types/node', '@opentelemetry/api', 'prom-client'), ...typescripts])
  write(folder, serverProject())
  await check('ES modules import every door', () => run(process.execPath, ['import.mjs'], { cwd: folder }))
  await check('CommonJS requires it', () => run(process.execPath, ['require.cjs'], { cwd: folder }))
  for (const version of compilers) {
    await check(`the first example of README.md type-checks with TypeScript ${version}`, () => typeCheck(folder, version))
  }
  const example = join(folder, 'out', 'main.js')
  await check('the first example of README.md runs', () => useExample(example, connectionString))
  for (const { version, program } of await otherNodes()) {
    await check(`every door is imported and required, and the first example of README.md runs, with Node ${version}`, async () => {
      for (const file of ['import.mjs', 'require.cjs']) await run(program, [file], { cwd: folder })
      await useExample(example, await databaseFor(connectionString, `node_${version.split('.')[0]}`, createTable), program)
    })
  }
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
  const command = join(cache, 'script', 'node_modules', 'fastify-data-access', 'bin', 'data-access.js')
  for (const node of await otherNodes()) await check(`the command keeps its compiled code with Node ${node.version}`, () => checkCompiledCode(node, command))
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
  const tarball = packed === undefined ? await pack() : resolve(packed)
  await check('the packed file holds what its users need, and is not too large', () => checkContents(tarball))
  await check('attw is content with the packed file', () => run('npx', ['--no-install', 'attw', tarball, '--profile', 'esm-only']))
  await check('publint is content with the packed file', () => run('npx', ['--no-install', 'publint', tarball, '--strict']))
  await checkInstalled(tarball)
})
console.log(`${counts.passed} of ${counts.passed + counts.failed} checks of the packed file passed`)
process.exitCode = counts.failed === 0 ? 0 : 1
