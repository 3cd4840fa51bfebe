import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import t, { type Test } from 'tap'
import { ownSharedServer, connectToOwner, type OwnerHooks } from '../../../../src/testing/postgres/shared-server-owner.js'
import { startPostgres } from '../../../../src/testing/postgres/start-postgres.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { joinRun, loaderFor, ownerFor, sharedFolderOf } from '../../../../src/testing/postgres/shared-server.js'
import { TestServer } from '../../../../src/testing/postgres/test-server.js'
import { nodeOptions, withoutCoverage } from '../../../helpers/child.js'
import { until } from '../../../helpers/until.js'

// Nearly each test makes a cluster of its own, which takes a busy machine many seconds.
t.setTimeout(600_000)

function build (t: Test) {
  const sharedFolder = mkdtempSync(join(tmpdir(), 'owner-'))
  t.after(() => rmSync(sharedFolder, { recursive: true, force: true }))
  const options = { sharedFolder, runner: process.pid, graceMillis: 300 }
  const startOwner = async (hooks: Partial<OwnerHooks> = {}) => {
    let onListening = () => {}
    const listening = new Promise<void>((resolve) => { onListening = resolve })
    const ended = ownSharedServer(options, { onListening, ...hooks })
    await Promise.race([listening, ended])
    // In an object, because a returned promise would be awaited.
    return { ended }
  }
  return { sharedFolder, options, startOwner }
}

async function serverId (connectionString: string): Promise<string> {
  const client = new Client({ connectionString })
  await client.connect()
  const { rows: [row] } = await client.query('select system_identifier::text as id from pg_control_system()')
  await client.end()
  return row.id
}

t.test('the processes of a run share one PostgreSQL, and nothing stays after the last one', async (t) => {
  const { sharedFolder, options, startOwner } = build(t)
  const { ended } = await startOwner()
  const [one, two] = await Promise.all([joinRun(options, () => {}), joinRun(options, () => {})])
  t.equal(await serverId(one.connectionString), await serverId(two.connectionString))

  await one.release()
  t.ok(await serverId(two.connectionString), 'PostgreSQL stays for the second process')
  await two.release()
  await ended
  t.notOk(existsSync(sharedFolder))
})

t.test('the first process starts the owner as a separate process, which ends by itself', async (t) => {
  const { sharedFolder, options } = build(t)
  const shared = await Promise.all([joinRun(options, () => {}), joinRun(options, () => {})])
  const owner = await connectToOwner(join(sharedFolder, 'current'))

  await Promise.all(shared.map(({ release }) => release()))
  t.ok(owner?.resume().destroy())
  while (existsSync(sharedFolder)) await new Promise((resolve) => setImmediate(resolve))
})

t.test('a second owner ends at once', async (t) => {
  const { sharedFolder, options, startOwner } = build(t)
  const { ended } = await startOwner()
  const { release } = await joinRun(options, () => {})

  await ownSharedServer(options, { onListening: () => t.fail('it serves') })
  t.equal(readdirSync(sharedFolder).length, 2, 'the link and the folder of the first owner')
  await release()
  await ended
})

t.test('files of a killed owner are removed and disturb no process, files of a live owner stay', async (t) => {
  const { sharedFolder, options, startOwner } = build(t)
  mkdirSync(join(sharedFolder, 'run-dead', 'postgres'), { recursive: true })
  symlinkSync(join(sharedFolder, 'run-dead'), join(sharedFolder, 'current'))
  mkdirSync(join(sharedFolder, 'run-living'))
  const living = createServer().listen(join(sharedFolder, 'run-living', 'socket'))
  await once(living, 'listening')

  const { ended } = await startOwner()
  const { release } = await joinRun(options, () => {})
  await release()
  await ended
  t.strictSame(readdirSync(sharedFolder), ['run-living'])
  living.close()
})

t.test('PostgreSQL ends without grace time when the runner has ended', async (t) => {
  const { options } = build(t)
  const runner = spawnSync('true').pid

  const longest = { ...options, runner, graceMillis: 3_600_000 }
  await ownSharedServer(longest, { onListening: () => {} })
})

t.test('a killed PostgreSQL ends its owner and the connections of its users', async (t) => {
  const { options, startOwner } = build(t)
  const started: Array<ReturnType<typeof startPostgres>> = []
  const { ended } = await startOwner({ start: (how) => { started.push(startPostgres(how)); return started[0]! } })
  let onEnd = () => {}
  const end = new Promise<void>((resolve) => { onEnd = resolve })
  await joinRun(options, onEnd)

  process.kill((await started[0]!).pid, 'SIGKILL')
  await end
  await ended
})

t.test('a PostgreSQL that does not start is an error for every process, in its own words', async (t) => {
  const { options, startOwner } = build(t)
  let fail = (_: Error) => {}
  const { ended } = await startOwner({ start: () => new Promise((_resolve, reject) => { fail = reject }) })
  const both = [joinRun(options, () => {}), joinRun(options, () => {})]
  fail(new Error('out of memory'))

  await Promise.all(both.map((one) => t.rejects(one, { message: 'out of memory' })))
  await ended
})

t.test('a process may end before PostgreSQL is ready', async (t) => {
  const { sharedFolder, options, startOwner } = build(t)
  const { ended } = await startOwner()
  const client = await connectToOwner(join(sharedFolder, 'current'))
  client?.destroy()

  const { connectionString, release } = await joinRun(options, () => {})
  t.ok(await serverId(connectionString))
  await release()
  await ended
})

t.test('an owner that always closes the connection is an error with the way out', async (t) => {
  const { sharedFolder, options } = build(t)
  mkdirSync(join(sharedFolder, 'run-busy'))
  symlinkSync(join(sharedFolder, 'run-busy'), join(sharedFolder, 'current'))
  const busy = createServer((client) => client.end()).listen(join(sharedFolder, 'run-busy', 'socket'))
  await once(busy, 'listening')
  t.after(() => busy.close())

  await t.rejects(joinRun(options, () => {}), { message: /does not start.*DATABASE_URL/ })
})

t.test('published JavaScript needs no loader, TypeScript sources need one', async (t) => {
  t.strictSame(loaderFor('file:///package/dist/src/testing/postgres/shared-server-owner.js'), [])
  t.match(loaderFor('file:///package/src/testing/postgres/shared-server-owner.ts'), ['--import', /^file:.*tsx/])
})

t.test('the owner of sources is a source, and that of published code is published, wherever that code lies', async (t) => {
  t.equal(ownerFor('file:///package/src/testing/postgres/shared-server.ts'), new URL('../../../../src/testing/postgres/shared-server-owner.ts', import.meta.url).href)
  t.equal(ownerFor('file:///package/dist/src/chunks/data-access-1.js'), new URL('../../../../dist/src/testing/postgres/shared-server-owner.js', import.meta.url).href)
})

interface File {
  readonly pid: number
  readonly connectionString: string
}

/** Starts a test run of two files in a folder, and resolves when both have their database. */
async function startRun (t: Test, cwd: string, url: string): Promise<{ files: File[], kill: () => void }> {
  const program = new URL('../../../helpers/test-run.ts', import.meta.url)
  const runner = spawn(process.execPath, [...loaderFor(program.href), fileURLToPath(program), 'run'], {
    cwd, env: { ...process.env, ...withoutCoverage, NODE_OPTIONS: nodeOptions, DATABASE_URL: url }, stdio: ['ignore', 'pipe', 'inherit']
  })
  const files: File[] = []
  const kill = (): void => { for (const pid of [Number(runner.pid), ...files.map(({ pid }) => pid)]) if (isAlive(pid)) process.kill(pid, 'SIGKILL') }
  t.teardown(async () => kill())
  for await (const line of createInterface({ input: runner.stdout })) {
    files.push(JSON.parse(line))
    if (files.length === 2) break
  }
  return { files, kill }
}

function isAlive (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function answers (connectionString: string): Promise<boolean> {
  const client = new Client({ connectionString })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end()
  }
}

t.test('a killed run leaves no process and no file', async (t) => {
  const cwd = realpathSync(t.testdir())
  const { files, kill } = await startRun(t, cwd, '')
  t.equal(new URL(String(files[0]?.connectionString)).port, new URL(String(files[1]?.connectionString)).port, 'both files use the same PostgreSQL')
  t.ok(existsSync(sharedFolderOf(cwd)))

  kill()
  await until(() => !existsSync(sharedFolderOf(cwd)))
  t.notOk(await answers(String(files[0]?.connectionString)))
})

t.test('the databases of a killed run are dropped by the next, on a server that stays', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const { files, kill } = await startRun(t, realpathSync(t.testdir()), connectionString)
  kill()

  for (const file of files) {
    await until(async () => {
      await new TestServer(connectionString).exclusively((query) => query('select 1'))
      return !await answers(file.connectionString)
    })
  }
  t.pass('they are gone')
})
