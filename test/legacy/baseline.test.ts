import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createTestDatabase } from '../../src/testing/index.js'
import { call } from '../src/migrations/cli/calling.js'
import { catalogOf } from './catalog.js'
import type { Test } from 'tap'

const legacy = readFileSync(new URL('legacy.sql', import.meta.url), 'utf8')
const odd = readFileSync(new URL('odd.sql', import.meta.url), 'utf8')

const configuration = (schema: string | readonly string[]): string => JSON.stringify({ dialect: 'postgresql', schema, out: './drizzle' })

/** The database of legacy.sql, a folder with a configuration, and the command in it. */
async function open (t: Test, sql = legacy) {
  const { connectionString } = await createTestDatabase(t, { sql })
  const cwd = t.testdir({ 'drizzle.config.json': configuration('./schema.ts') })
  const migrate = (...argv: string[]) => call(cwd, ['migrate', ...argv], { env: { DATABASE_URL: connectionString } })
  return { connectionString, cwd, migrate }
}

t.test('takes a database of years over: nothing in it is altered, and its migrations begin', async (t) => {
  const { connectionString, cwd, migrate } = await open(t)
  const before = await catalogOf(connectionString)

  const dry = await migrate('baseline', '--dry-run')
  t.match(dry, { code: 0, out: /^Would write schema.ts and the first migration\n/, err: '' })
  t.strictSame(readdirSync(cwd), ['drizzle.config.json'])
  t.strictSame(await catalogOf(connectionString), before)

  const written = await migrate('baseline')
  t.match(written, { code: 0, err: '' })
  t.strictSame(await catalogOf(connectionString), before, 'structure and rows are the same')
  t.equal(readFileSync(join(cwd, 'schema.ts'), 'utf8'), readFileSync(new URL('schema.ts', import.meta.url), 'utf8'), 'the tables that repository.test.ts uses')
  t.match(await migrate('status'), { code: 0, out: /Everything is applied\n {2}applied {2}\S*_baseline/ })
  t.match(await migrate('create', '-m', 'nothing'), { code: 0, out: 'Nothing to do: the tables match the newest migration\n' })
  t.match(await migrate('check'), { code: 0, out: 'Tables, folder and database match\n' })

  const empty = await createTestDatabase(t)
  t.match(await call(cwd, ['migrate', 'up'], { env: { DATABASE_URL: empty.connectionString } }), { code: 0 })
  t.strictSame((await catalogOf(empty.connectionString)).structure, before.structure, 'the first migration makes an empty database like it')

  addColumn(cwd)
  t.match(await migrate('create', '-m', 'nickname'), { code: 0, out: /^Wrote / })
  t.match(await migrate('up'), { code: 0, out: /^1 applied/ })
  t.notSame((await catalogOf(connectionString)).structure, before.structure)
  t.match(await migrate('down'), { code: 0, out: /^1 rolled back/ })
  t.strictSame((await catalogOf(connectionString)).structure, before.structure, 'a new column goes up and down')
  t.match(await migrate('down'), { code: 1, err: /the database was there before its migrations/ }, 'the first migration has no way back')
})

/** Adds a column to a table of the schema file, under the file's next name: a module is loaded once. */
function addColumn (cwd: string): void {
  const text = readFileSync(join(cwd, 'schema.ts'), 'utf8').replace("  firstName: text('First Name').notNull(),", '$&\n  nickname: text(),')
  writeFileSync(join(cwd, 'schema2.ts'), text)
  writeFileSync(join(cwd, 'drizzle.config.json'), configuration('./schema2.ts'))
}

t.test('what Drizzle has no words for is kept as SQL, or named', async (t) => {
  const { connectionString, cwd, migrate } = await open(t, odd)
  const before = await catalogOf(connectionString)
  const { code, out, err } = await migrate('baseline', '--json')
  t.match({ code, err }, { code: 0, err: '' })
  const { kept } = JSON.parse(out) as { kept: Array<{ kind: string, name: string, inMigration: boolean }> }
  t.strictSame(kept.filter(({ inMigration }) => !inMigration).map(({ kind, name }) => `${kind} ${name}`), [
    'type "Odd One".pair', 'aggregate "Odd One".total(integer)', 'policy mine of "Odd One".things', 'foreign or unlogged table "Odd One".scratch',
    'inheritance of table "Odd One".children'
  ])
  t.strictSame(await catalogOf(connectionString), before)
  t.match(await migrate('create', '-m', 'nothing'), { code: 0, out: 'Nothing to do: the tables match the newest migration\n' })

  const empty = await createTestDatabase(t)
  t.match(await call(cwd, ['migrate', 'up'], { env: { DATABASE_URL: empty.connectionString } }), { code: 0, err: /_baseline/ })
  const made = await catalogOf(empty.connectionString)
  const wanted = before.structure as Record<string, string[]>
  for (const [kind, lines] of Object.entries(made.structure as Record<string, string[]>)) {
    const kept = (line: string) => !/scratch|children|\.pair/.test(line)
    t.strictSame(lines.filter(kept), wanted[kind]?.filter(kept), kind)
  }
})

t.test('a schema file that exists is used, unless it differs from the database', async (t) => {
  const sql = 'create table users (id integer primary key, name text not null, age integer); create table posts (id integer)'
  const { cwd, migrate, connectionString } = await open(t, sql)
  const before = await catalogOf(connectionString)
  const write = (name: string, users: string, more = '') => {
    writeFileSync(join(cwd, `${name}.ts`), `import { integer, pgTable, text } from 'drizzle-orm/pg-core'\nexport const users = pgTable('users', { ${users} })\n${more}`)
    writeFileSync(join(cwd, 'drizzle.config.json'), configuration(`./${name}.ts`))
  }
  write('first', 'id: integer().primaryKey(), name: text(), age: integer().notNull(), email: text()', "export const tags = pgTable('tags', { id: integer() })")
  const refused = await migrate('baseline')
  t.equal(refused.code, 1)
  for (const words of [
    'public.tags is in the schema file, but not in the database', 'public.posts is in the database, but not in the schema file',
    'public.users.email is in the schema file, but not in the database', 'public.users.name cannot be null in the database, but can be in the schema file',
    'public.users.age can be null in the database, but not in the schema file'
  ]) t.match(refused.err, words)
  write('second', 'id: integer().primaryKey(), age: integer()', "export const posts = pgTable('posts', { id: integer() })")
  t.match(await migrate('baseline'), { code: 1, err: /public.users.name is in the database, but not in the schema file/ })
  t.ok(existsSync(join(cwd, 'second.ts')), 'a file of the program stays')
  t.notOk(existsSync(join(cwd, 'drizzle')))
  t.strictSame(await catalogOf(connectionString), before)

  write('third', 'id: integer().primaryKey(), name: text().notNull(), age: integer()', "export const posts = pgTable('posts', { id: integer() })")
  t.match(await migrate('baseline'), { code: 0, out: /^Wrote \S*_baseline\S*, noted as applied\n/ })
  t.match(await migrate('check'), { code: 0 })
})

t.test('migrations that are there already are refused, and so is a database without tables', async (t) => {
  const { cwd, migrate, connectionString } = await open(t, 'create table users (id integer primary key)')
  t.match(await migrate('baseline'), { code: 0 })
  t.match(await migrate('baseline'), { code: 1, err: /has migrations already, such as \S*baseline/ })
  t.match(await migrate('baseline', '--folder', 'other'), { code: 1, err: /The database has applied migrations already/ })
  t.match(await call(cwd, ['migrate', 'baseline'], {}), { code: 2, err: /No database is given/ })

  const empty = await open(t, 'select 1')
  t.match(await empty.migrate('baseline'), { code: 1, err: /The database has no tables/ })
  writeFileSync(join(empty.cwd, 'drizzle.config.json'), JSON.stringify({ dialect: 'postgresql', out: './drizzle' }))
  t.match(await empty.migrate('baseline'), { code: 2, err: /needs a configuration that names its schema file/ })
  writeFileSync(join(empty.cwd, 'drizzle.config.json'), configuration('./tables/*.ts'))
  t.match(await empty.migrate('baseline'), { code: 2, err: /needs a configuration that names its schema file/ })

  const unloadable = await open(t, 'create table users (id integer primary key)')
  writeFileSync(join(unloadable.cwd, 'drizzle.config.json'), configuration(['./new/schema.ts', './missing.ts']))
  writeFileSync(join(unloadable.cwd, 'missing.ts'), 'export {')
  t.match(await unloadable.migrate('baseline'), { code: 1 })
  t.notOk(existsSync(join(unloadable.cwd, 'new/schema.ts')), 'a file that it wrote is removed again')
  const nothing = await open(t, 'create table users (id integer primary key)')
  writeFileSync(join(nothing.cwd, 'schema.ts'), 'export const nothing = 1')
  t.match(await nothing.migrate('baseline'), { code: 1, err: /The schema file exports no tables/ })
  t.ok(connectionString)
})
