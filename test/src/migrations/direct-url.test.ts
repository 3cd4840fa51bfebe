import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { openDatabase } from '../../../src/index.js'
import { runCommand } from '../../../src/migrations/cli/command.js'
import { runMigrations } from '../../../src/migrations/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { users, writeFolder } from './folder.js'
import { build } from './setup.js'

t.test('DATABASE_DIRECT_URL comes before DATABASE_URL, and an open database brings its own', async (t) => {
  const { connectionString, folder } = await build(t, [users])
  const other = await build(t, [users])
  t.intercept(process, 'env', { value: { ...process.env, DATABASE_URL: 'postgresql://127.0.0.1:1/none', DATABASE_DIRECT_URL: connectionString } })
  t.equal((await runMigrations({ folder })).applied.length, 1)

  const database = await openDatabase({ connectionString: other.connectionString, directConnectionString: connectionString })
  t.teardown(() => database.close())
  t.equal((await runMigrations({ database, folder })).applied.length, 0)
  t.equal((await runMigrations({ connectionString: other.connectionString, folder })).applied.length, 1)
})

t.test('takes DATABASE_DIRECT_URL before DATABASE_URL, also where the configuration repeats that, but after another URL', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const pooler = 'postgresql://127.0.0.1:1/none'
  const config = (name: string, url: string) => ({ [name]: JSON.stringify({ dialect: 'postgresql', dbCredentials: { url } }) })
  const cwd = t.testdir({ ...config('repeats.json', pooler), ...config('other.json', 'postgresql://127.0.0.1:2/none') })
  writeFolder(join(cwd, 'drizzle'), [])
  const status = (...argv: string[]) => runCommand(['migrate', 'status', '--folder', 'drizzle', ...argv], {
    cwd,
    env: { DATABASE_URL: pooler, DATABASE_DIRECT_URL: connectionString },
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    signal: new AbortController().signal
  })

  t.equal(await status(), 0)
  t.equal(await status('--config', 'repeats.json'), 0)
  t.equal(await status('--config', 'other.json'), 1)
  t.equal(await status('--url', pooler), 1)
})
