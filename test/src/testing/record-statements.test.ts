import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { statementChannel } from '../../../src/channels/channels.js'
import { runMigrations } from '../../../src/migrations/index.js'
import { recordStatements } from '../../../src/testing/index.js'
import { addToLock } from '../../../src/testing/statements-file.js'
import { runProgram } from '../../helpers/child.js'
import { open } from '../../helpers/database.js'
import { users } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import { users as usersMigration, posts as postsMigration, writeFolder } from '../migrations/folder.js'
import type { RecordOptions } from '../../../src/testing/index.js'
import type { Test } from 'tap'

/** Begins a recording in a folder of its own. */
function record (t: Test, options: RecordOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'record-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'statements.lock')
  const recording = recordStatements({ file, ...options })
  t.teardown(() => recording.stop())
  const lines = () => readFileSync(file, 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('--'))
  return { file, recording, lines }
}

/** Publishes the end of a statement, as a session does. */
function publish (text: string, more: object = {}): void {
  statementChannel.asyncEnd.publish({ database: 'default', text, table: undefined, operation: 'execute', route: 'database', sqlState: undefined, ...more } as never)
}

t.test('writes each statement once, by table, without values, settings, DDL and migrations', async (t) => {
  const database = await open(t)
  const { file, recording } = record(t)

  await database.session(async (session) => {
    await session.repo(users).createMany([{ email: 'ada' }, { email: 'bob' }, { email: 'cy' }])
    await session.repo(users).create({ email: 'dee' })
    await session.transaction((scope) => scope.repo(users).getMany([1, 2, 3]))
    await session.execute(sql`set local work_mem = '5MB'`)
    await session.execute(sql`create temporary table t (a int)`)
    await session.execute(sql`select a,
      count(*) -- of all
      from t where a in (${1}, ${2}) group by a`)
  })
  await database.repo(users).getMany([7])
  for await (const user of database.repo(users).stream({}, { batchSize: 1 })) if (user.email === 'bob') break
  await t.rejects(database.execute(sql`select nothing`))
  await runMigrations({ database, folder: writeFolder(t.testdir({}), [postsMigration]), table: 'm.m' }).catch(() => {})
  await recording.stop()

  t.equal(readFileSync(file, 'utf8'), `${head}
-- table users
insert into "users" ("email") select "list"."c0" from (select generate_series(1, $1::integer) as "place", unnest(coalesce($2, array(select "users"."email" from "users" limit 0))) as "c0") as "list" order by "list"."place" returning "users"."id", "users"."email", "users"."balance"
insert into "users" ("id", "email", "balance") values (default, $1, default) returning "id", "email", "balance"
select "id", "email", "balance" from "users" order by "users"."id"
select "users"."id", "users"."email", "users"."balance" from "users" join unnest(coalesce($1, array(select "users"."id" from "users" limit 0))) with ordinality as "wanted" ("key_0", "place") on "users"."id" = "wanted"."key_0" order by "wanted"."place"

-- SQL of the program
select a, count(*) from t where a in ($1) group by a
`)
})

t.test('names the newest migration, and follows it', async (t) => {
  const folder = writeFolder(t.testdir({}), [usersMigration])
  const { file, recording } = record(t, { migrations: folder })
  publish('select 1')
  await recording.stop()
  t.match(readFileSync(file, 'utf8'), '-- newest migration: 0000_users\n\n-- SQL of the program\nselect 1\n')

  writeFolder(folder, [usersMigration, postsMigration])
  const again = recordStatements({ file, migrations: folder })
  await again.stop()
  t.match(readFileSync(file, 'utf8'), 'migration: 0000_users\n', 'a process that sends nothing changes nothing')
  const third = recordStatements({ file, migrations: folder })
  publish('select 1')
  await third.stop()
  t.match(readFileSync(file, 'utf8'), 'migration: 0001_posts\n')
})

t.test('leaves out what is ignored, and what other databases run', async (t) => {
  const { recording, lines } = record(t, { ignore: /^select 1/ })
  publish('select 1')
  publish('select 2')
  publish('select 3', { database: 'billing' })
  await recording.stop()
  t.strictSame(lines(), ['select 2'])

  const second = record(t, { database: 'billing', ignore: ({ route }) => route === 'database' })
  publish('select 3', { database: 'billing' })
  publish('select 4', { database: 'billing', route: 'GET /invoices' })
  publish('select 5', { route: 'GET /invoices' })
  await second.recording.stop()
  t.strictSame(second.lines(), ['select 4'])
})

t.test('a second recording of a file takes the place of the first', async (t) => {
  const { file, recording, lines } = record(t)
  publish('select 1')
  const second = recordStatements({ file, ignore: /2/ })
  publish('select 2')
  await second.stop()
  await recording.stop()
  t.strictSame(lines(), ['select 1'])
})

t.test('writes at once, and nothing if there is nothing new', async (t) => {
  const { file, recording, lines } = record(t)
  await recording.stop()
  t.notOk(existsSync(file))
  const again = recordStatements({ file })
  t.teardown(() => again.stop())
  publish('select 0')
  await until(() => existsSync(file))
  publish('select 1')
  t.strictSame(lines(), ['select 0', 'select 1'])

  utimesSync(file, 1, 1)
  publish('select /* another text of the same */ 1')
  t.equal(readFileSync(file, 'utf8').includes('another'), false)
  t.equal(statSync(file).mtimeMs, 1000)
})

t.test('many processes record into one file, also those that are killed', async (t) => {
  const folder = t.testdir({})
  const file = join(folder, 'statements.lock')
  const program = new URL('./recording-process.ts', import.meta.url)
  const names = ['a', 'b', 'c', 'd']
  await Promise.all(names.map((name) => runProgram(t, program, { args: [file, name, name === 'a' ? 'ended' : 'killed'] })))

  const lines = readFileSync(file, 'utf8').split('\n').filter((line) => line.startsWith('select'))
  t.strictSame(lines, ['select 1', ...names.flatMap((name) => Array.from({ length: 20 }, (_, number) => `select ${name}_${number} from t`))].sort())
  t.strictSame(readdirSync(folder), ['statements.lock'])
})

t.test('waits for a process that writes the file, and not for one that was killed', async (t) => {
  const file = join(t.testdir({}), 'statements.lock')
  writeFileSync(`${file}.writing`, '')
  const old = new Date(Date.now() - 4950)
  utimesSync(`${file}.writing`, old, old)

  t.ok(addToLock(file, new Map([['select 1', undefined]]), undefined).statements.has('select 1'))
  t.notOk(existsSync(`${file}.writing`))
  t.throws(() => addToLock(join(file, 'no-folder', 'x.lock'), new Map(), undefined), { code: 'ENOTDIR' })
})

const head = `-- The statements that the tests sent to PostgreSQL. recordStatements() of fastify-data-access/testing adds to this file,
-- data-access migrate prove reads it. To forget statements that are no longer sent, delete it and run all tests.
-- newest migration: 0000_users_and_posts
`
