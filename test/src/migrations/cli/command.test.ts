import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import t from 'tap'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { writeFolder } from '../folder.js'
import { build, call, callInTerminal, users, writeSchema } from './calling.js'

t.test('runs the whole cycle: create, status, up, check, history, current, down', async (t) => {
  const { migrate } = await build(t)

  t.strictSame(await migrate('create', '-m', 'Users'), { code: 0, out: 'Wrote 0000_users.sql and 0000_users.down.sql\n', err: '' })
  t.strictSame(await migrate('create', '-m', 'Again'), { code: 0, out: 'Nothing to do: the tables match the newest migration\n', err: '' })
  t.match(await migrate('status'), { code: 3, out: 'Something is pending or differs\n  pending  0000_users\n' })
  t.match(await migrate('up', '--dry-run'), { code: 0, out: '1 to apply\n  0000_users\n', err: '' })
  t.match(await migrate('up'), { code: 0, out: '1 applied\n  0000_users\n', err: /^0000_users {2}1\/1 {2}\d+ ms\n$/ })
  t.match(await migrate('up'), { code: 0, out: '0 applied\n' })
  t.match(await migrate('status'), { code: 0, out: 'Everything is applied\n  applied  0000_users\n' })
  t.match(await migrate('check'), { code: 0, out: 'Tables, folder and database match\n' })
  t.match(await migrate('history'), { code: 0, out: '1 applied\n  0000_users\n' })
  t.match(await migrate('current'), { code: 0, out: '0000_users\n' })
  t.match(await migrate('down', '--steps', '1', '--dry-run'), { code: 0, out: '1 to roll back\n  0000_users\n' })
  t.match(await migrate('down'), { code: 0, out: '1 rolled back\n  0000_users\n' })
  t.match(await migrate('current'), { code: 0, out: 'Nothing is applied\n' })
})

t.test('reads TypeScript, as drizzle-kit does', async (t) => {
  const { migrate, cwd } = await build(t, {
    'drizzle.config.ts': "import { defineConfig } from 'drizzle-kit'\nexport default defineConfig({ dialect: 'postgresql', schema: './tables/*.ts', casing: 'snake_case' })"
  })
  mkdirSync(join(cwd, 'tables'))
  writeFileSync(join(cwd, 'tables/words.ts'), 'export enum Word { None = "none" }')
  writeFileSync(
    join(cwd, 'tables/users.ts'),
    "import { pgTable, text } from 'drizzle-orm/pg-core'\nimport { Word } from './words.js'\nexport const users = pgTable('users', { fullName: text().default(Word.None) })"
  )

  t.match(await migrate('create', '-m', 'Users'), { code: 0, out: /0000_users/ })
  t.match(readFileSync(join(cwd, 'drizzle/0000_users.sql'), 'utf8'), '"full_name" text DEFAULT \'none\'')
})

t.test('answers a pipeline with one JSON document', async (t) => {
  const { json, migrate } = await build(t)

  t.match(await json('create', '-m', 'Users'), { code: 0, created: { tag: '0000_users', irreversible: [] } })
  t.strictSame(await json('create', '-m', 'Users'), { code: 0, created: null })
  t.match(await json('status'), { code: 3, applied: [], pending: ['0000_users'], problems: [] })
  t.match(await json('check'), { code: 3, ok: false, problems: [{ kind: 'pending', tag: '0000_users' }] })
  t.match(await json('up', '--lock-timeout', '0.5'), { code: 0, applied: [{ tag: '0000_users', hasDown: true }] })
  t.match(await json('history'), { code: 0, applied: [{ tag: '0000_users' }] })
  t.match(await json('current'), { code: 0, current: { tag: '0000_users' } })
  t.match(await json('down', '--to', 'nothing'), { code: 0, rolledBack: [{ tag: '0000_users' }] })
  t.strictSame(await json('current'), { code: 0, current: null })
  t.match(await json('up', '--to', 'nobody'), { code: 1, error: { code: 'DB_USAGE', message: /nobody/ } })
  t.match(await json('up', '--steps', '1'), { code: 2, error: { code: 'USAGE', message: /no option --steps/ } })
  t.match(JSON.parse((await migrate('nothing', '--json')).out), { error: { code: 'USAGE' } })
})

t.test('shows every difference, and exits with 3', async (t) => {
  const { cwd, migrate } = await build(t)
  await migrate('create', '-m', 'Users')
  await migrate('up')
  writeFileSync(join(cwd, 'drizzle/0000_users.sql'), 'select 1')
  writeSchema(cwd, 'empty', 'export {}')

  t.match(await migrate('status'), { code: 3, out: /applied {2}0000_users\n {2}0000_users\.sql was edited/ })
  t.match(await migrate('check'), { code: 3, out: /0000_users\.sql was edited[^]*tables of the model/ })
  t.match(await migrate('history'), { code: 1, out: '', err: /0000_users\.sql was edited/ })
})

t.test('asks about a rename in a terminal, and writes nothing after Ctrl-C', async (t) => {
  const { cwd, migrate } = await build(t)
  await migrate('create', '-m', 'Users')
  writeSchema(cwd, 'renamed', users('title'))
  const before = readdirSync(join(cwd, 'drizzle'))
  const create = ['migrate', 'create', '-m', 'title']
  const stop = new AbortController()

  t.match(await callInTerminal(cwd, create, { signal: stop.signal, onQuestion: () => stop.abort() }), {
    code: 130, out: '', err: /^The column users\.title is\n[^]*> The question was not answered, so nothing was written\n$/
  })
  t.strictSame(readdirSync(join(cwd, 'drizzle')), before)
  t.match(await callInTerminal(cwd, create, { answer: '2' }), { code: 0, out: /^Wrote / })
})

t.test('shows what cannot be restored, and needs confirmation', async (t) => {
  const { cwd, migrate } = await build(t)
  await migrate('create', '-m', 'Users')
  writeSchema(cwd, 'empty', 'export {}')
  t.match(await migrate('create', '-m', 'nothing'), {
    code: 0, out: 'Wrote 0001_nothing.sql and 0001_nothing.down.sql\n  cannot be restored: the rows of users\n'
  })
  rmSync(join(cwd, 'drizzle/0001_nothing.down.sql'))
  t.match(await migrate('down-files'), { code: 0, out: '1 written\n  0001_nothing.down.sql\n    cannot be restored: the rows of users\n' })
  await migrate('up')

  t.match(await migrate('down'), { code: 1, err: /the rows of users/ })
  t.match(await migrate('down', '--confirm-irreversible'), { code: 0 })
})

t.test('renames by the options, and refuses to guess', async (t) => {
  const { cwd, migrate } = await build(t)
  await migrate('create', '-m', 'Users')
  writeSchema(cwd, 'titles', users('title'))

  t.match(await migrate('create', '-m', 'titles'), { code: 1, err: /--rename users\.name=users\.title/ })
  t.match(await migrate('create', '-m', 'titles', '--rename', 'users.name'), { code: 2, err: /--rename takes/ })
  t.match(await migrate('create', '-m', 'titles', '--rename', 'users.name=users.title'), { code: 0 })
  t.match(readFileSync(join(cwd, 'drizzle/0001_titles.sql'), 'utf8'), 'RENAME COLUMN')
  writeSchema(cwd, 'schema', users('name'))
  t.match(await migrate('create', '-m', 'names', '--no-renames'), { code: 0, out: /cannot be restored: the values of users\.title/ })
})

t.test('writes empty files if the configuration has no schema', async (t) => {
  const { cwd, migrate } = await build(t, {
    'drizzle.config.json': JSON.stringify({ dialect: 'postgresql', breakpoints: false, migrations: { prefix: 'unix' } })
  })

  t.match(await migrate('create', '-m', 'mine', '--empty', '--folder', 'other'), { code: 0, out: /^Wrote \d+_mine\.sql/ })
  t.match(JSON.parse(readFileSync(join(cwd, 'other/meta/_journal.json'), 'utf8')), { entries: [{ breakpoints: false }] })
  t.match(await migrate('create', '-m', 'mine'), { code: 2, err: /names a schema/ })
  t.match(await migrate('create'), { code: 2, err: /needs a message/ })
})

t.test('reads the table and the database that drizzle-kit would use', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const { hostname, port, username, password, pathname } = new URL(connectionString)
  const parts = {
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    ssl: false
  }
  const cwd = t.testdir({
    'drizzle.config.mjs': `export default { dialect: 'postgresql', migrations: { table: 'done', schema: 'public' }, dbCredentials: ${JSON.stringify(parts)} }`
  })
  await call(cwd, ['migrate', 'create', '-m', 'x', '--empty'])

  t.match(await call(cwd, ['migrate', 'up'], { env: { DATABASE_URL: 'postgresql://127.0.0.1:1/none' } }), { code: 0, out: '1 applied\n  0000_x\n' })
  const client = new Client({ connectionString })
  await client.connect()
  t.after(() => client.end())
  t.equal((await client.query('select * from public.done')).rowCount, 1)
  t.match(await call(cwd, ['migrate', 'up', '--url', connectionString, '--table', 'public.others'], {}), { code: 0, out: '1 applied\n  0000_x\n' })
})

t.test('works with a folder and DATABASE_URL, without any configuration', async (t) => {
  const { cwd, migrate } = await build(t, { 'drizzle.config.ts': 'throw new Error("not to be read")' })
  writeFileSync(join(cwd, 'empty.json'), '{"dialect":"postgresql"}')
  await migrate('create', '-m', 'x', '--empty', '--config', 'empty.json')

  t.match(await migrate('up', '--folder', 'drizzle'), { code: 0, out: /1 applied/ })
  t.match(await migrate('up', '--json'), { code: 1, out: '{"error":{"code":"ERROR","message":"not to be read"}}\n', err: 'not to be read\n' })
  rmSync(join(cwd, 'drizzle.config.ts'))
  t.match(await migrate('up'), { code: 0, out: '0 applied\n' })
})

t.test('never prints the password of the database', async (t) => {
  const cwd = t.testdir({ drizzle: { meta: { '_journal.json': '{"entries":[]}' } } })
  for (const url of ['postgresql://ada:s3cret@127.0.0.1:1/db', 'postgresql://ada:s3cret@', 'postgresql://ada:s3cret@two@hosts/db']) {
    const { code, out, err } = await call(cwd, ['migrate', 'up', '--json'], { env: { DATABASE_URL: url } })
    t.equal(code, 1)
    t.notMatch(out + err, 's3cret')
  }
})

t.test('the error about a configuration that is not JSON quotes nothing of it', async (t) => {
  const cwd = t.testdir({ 'drizzle.config.json': '{ "dbCredentials": { "password": s3cret } }' })
  const { code, out, err } = await call(cwd, ['migrate', 'up', '--json'])
  t.equal(code, 2)
  t.match(err, /drizzle\.config\.json is not JSON/)
  t.notMatch(out + err, 's3cret')
})

t.test('refuses wrong arguments and unusable configurations', async (t) => {
  const cwd = t.testdir({
    'mysql.json': '{"dialect":"mysql"}',
    'none.json': '{"dialect":"postgresql","schema":["./nothing.ts"]}',
    'ssl.json': '{"dialect":"postgresql","dbCredentials":{"host":"h","database":"d","ssl":{}}}'
  })
  const wrong: Array<[argv: string[], said: RegExp]> = [
    [['upp'], /Unknown command upp: data-access --help/],
    [['migrate'], /Unknown command migrate/],
    [['migrate', 'constructor'], /Unknown command migrate constructor/],
    [['migrate', 'up', 'now'], /takes no argument now/],
    [['migrate', 'up', '--nonsense'], /--nonsense/],
    [['migrate', 'up', '--empty'], /migrate up has no option --empty/],
    [['migrate', 'up', '--lock-timeout', 'long'], /--lock-timeout must be a number/],
    [['migrate', 'up'], /No database is given/],
    [['migrate', 'up', '--config', 'gone.ts'], /There is no configuration gone\.ts/],
    [['migrate', 'up', '--config', 'mysql.json'], /mysql\.json is not for PostgreSQL/],
    [['migrate', 'up', '--config', 'ssl.json'], /dbCredentials\.ssl/],
    [['migrate', 'check', '--config', 'none.json'], /No file matches the schema/]
  ]
  for (const [argv, said] of wrong) t.match(await call(cwd, argv), { code: 2, out: '', err: said }, argv.join(' '))
})

t.test('prints its help and its version', async (t) => {
  t.match(await call('.', []), { code: 0, out: /^data-access init .*\ndata-access migrate <subcommand>/ })
  t.match(await call('.', ['--help']), { code: 0, out: /Exit codes: 0 done/ })
  t.match(await call('.', ['migrate', 'nobody', '-h']), { code: 0, out: /^data-access init .*\ndata-access migrate <subcommand>/ })
  for (const name of ['create', 'up', 'down', 'status', 'history', 'current', 'check', 'down-files']) {
    t.match(await call('.', ['migrate', name, '--help']), { code: 0, out: new RegExp(`^data-access migrate ${name} `) })
  }
  t.match(await call('.', ['--version']), { code: 0, out: /^\d+\.\d+\.\d+/ })
})

t.test('shows the session that blocks it', async (t) => {
  const { connectionString, cwd } = await build(t)
  mkdirSync(join(cwd, 'drizzle/meta'), { recursive: true })
  writeFileSync(
    join(cwd, 'drizzle/meta/_journal.json'),
    '{"version":"7","dialect":"postgresql","entries":[{"idx":0,"version":"7","when":1,"tag":"0000_x","breakpoints":true}]}'
  )
  writeFileSync(join(cwd, 'drizzle/0000_x.sql'), 'alter table busy add column other int')
  const client = new Client({ connectionString })
  await client.connect()
  t.after(() => client.end())
  await client.query('create table busy (id int)')
  await client.query('begin; lock table busy')
  const { code, err } = await call(cwd, ['migrate', 'up', '--folder', 'drizzle'], {
    env: { DATABASE_URL: connectionString }, onLine: () => { client.query('rollback').catch(() => {}) }
  })

  t.equal(code, 0)
  t.match(err, /^0000_x {2}did not get its locks \(attempt 1, process \d+/)
})

t.test('a signal cancels the current statement, and its file is rolled back', async (t) => {
  const { connectionString, cwd } = await build(t)
  mkdirSync(join(cwd, 'drizzle/meta'), { recursive: true })
  const entries = ['0000_quick', '0001_slow'].map((tag, idx) => ({ idx, version: '7', when: idx + 1, tag, breakpoints: true }))
  writeFileSync(join(cwd, 'drizzle/meta/_journal.json'), JSON.stringify({ version: '7', dialect: 'postgresql', entries }))
  writeFileSync(join(cwd, 'drizzle/0000_quick.sql'), 'create table quick (id int)')
  writeFileSync(join(cwd, 'drizzle/0001_slow.sql'), 'create table slow (id int);--> statement-breakpoint\nselect pg_sleep(60)')
  const stop = new AbortController()
  let heard = 0
  const { code, err } = await call(cwd, ['migrate', 'up', '--folder', 'drizzle'], {
    env: { DATABASE_URL: connectionString }, signal: stop.signal, onLine: () => { if (++heard === 2) setImmediate(() => stop.abort()) }
  })

  t.equal(code, 130)
  t.match(err, /0001_slow\.sql failed at statement 2 of 2 and was rolled back|stopped before the next statement/)
  const client = new Client({ connectionString })
  await client.connect()
  t.after(() => client.end())
  t.strictSame((await client.query("select tablename from pg_tables where schemaname = 'public'")).rows, [{ tablename: 'quick' }])
})

t.test('upgrade shows the changes to drizzle-kit 1.0, makes them with --write, and goes back with --back', async (t) => {
  const { cwd, migrate, json } = await build(t)
  writeFolder(join(cwd, 'drizzle'), [{ tag: '0000_users', when: 0, sql: 'create table users (id int)', down: 'drop table users' }])
  await migrate('up')
  const name = '19700101000000_users'
  t.match(await json('upgrade'), { code: 0, written: false, files: [{ from: '0000_users.sql' }, {}, {}], table: { rows: [{ tag: '0000_users', name }] } })
  const files = [`0000_users.sql to ${name}/migration.sql`, `0000_users.down.sql to ${name}/down.sql`, 'meta/_journal.json to meta/_journal-0.31.json']

  t.strictSame(await migrate('upgrade', '--url', ''), {
    code: 0, err: '', out: ['To change to drizzle-kit 1.0; --write does it', ...files.map((file) => `  move    ${file}`), ''].join('\n')
  })
  const change = ['  table   columns name and applied_at added', `  table   0000_users with the name ${name}`]
  t.equal((await migrate('upgrade', '--write')).out, ['Changed to drizzle-kit 1.0', ...files.map((file) => `  move    ${file}`), ...change, ''].join('\n'))
  t.equal((await migrate('upgrade')).out, 'Nothing to do: folder and table are those of drizzle-kit 1.0\n')
  t.equal((await migrate('upgrade', '--url', '')).out, 'Nothing to do: the folder is that of drizzle-kit 1.0\n')
  t.match(await migrate('status'), { code: 0, out: new RegExp(`applied  ${name}`) })
  writeFileSync(join(cwd, 'drizzle', name, 'snapshot.json'), '{}')
  t.match((await migrate('upgrade', '--back', '--write')).out, /^Changed to drizzle-kit 0\.31\n.*\n.*\n.*\n {2}remove {2}.*snapshot\.json\n {2}table {3}columns name and applied_at removed\n {2}table {3}0000_users without its name\n$/)
  t.match(await migrate('status'), { code: 0, out: /applied {2}0000_users/ })
  t.match(await migrate('upgrade', '--lock-timeout', 'x'), { code: 2, err: /--lock-timeout must be a number/ })
})
