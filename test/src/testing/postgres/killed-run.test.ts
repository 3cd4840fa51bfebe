import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import t from 'tap'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { loaderFor, sharedFolderOf } from '../../../../src/testing/postgres/shared-server.js'
import { TestServer } from '../../../../src/testing/databases/test-server.js'
import { until } from '../../../helpers/until.js'
import type { Test } from '../../../helpers/test.js'

interface File {
  readonly pid: number
  readonly connectionString: string
}

/** Starts a test run of two files in a folder, and resolves when both have their database. */
async function startRun (t: Test, cwd: string, url: string): Promise<{ files: File[], kill: () => void }> {
  const { NODE_OPTIONS, NODE_V8_COVERAGE, ...env } = process.env
  const program = new URL('../../../helpers/test-run.ts', import.meta.url)
  const runner = spawn(process.execPath, [...loaderFor(program.href), fileURLToPath(program), 'run'], {
    cwd, env: { ...env, DATABASE_URL: url }, stdio: ['ignore', 'pipe', 'inherit']
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
  t.equal(new URL(String(files[0]?.connectionString)).port, new URL(String(files[1]?.connectionString)).port, 'both had the same PostgreSQL')
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
