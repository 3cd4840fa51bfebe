import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import t from 'tap'
import { build, call, writeSchema } from './calling.js'

const columns = (more: string) => `
import { index, integer, pgTable, text } from 'drizzle-orm/pg-core'
export const users = pgTable('users', { id: integer().primaryKey(), ${more} })
`

t.test('create shows what would block a table in use, with the steps', async (t) => {
  const { cwd, migrate, json } = await build(t)
  const first = await json('create', '-m', 'Users')
  t.match(first, { code: 0, created: { blocking: [] } })
  writeSchema(cwd, 'noted', columns('name: text().notNull(), note: text().notNull()'))
  const { code, out } = await migrate('create', '-m', 'notes')

  t.equal(code, 0, 'the file is written all the same')
  t.match(out, /^Wrote \S+notes\S* and \S+\n1 statement would block a table in use\. Where the tables are in use, edit the file/)
  t.match(out, /:1 {2}not-null-without-default\n {4}ADD COLUMN "note" text NOT NULL\n {4}note is NOT NULL[^\n]*\.\n {6}1\. With a constant default[^\n]*\n {6}2\. Without one, here: ALTER TABLE "users" ADD COLUMN "note" text;/)
})

t.test('lint exits with 3 for what would block, and with 0 for what would not', async (t) => {
  const { connectionString, cwd, migrate, json } = await build(t)
  await migrate('create', '-m', 'Users')
  t.strictSame(await migrate('lint'), { code: 0, out: 'Nothing would block a table in use\n', err: '' })
  await migrate('up')
  const client = new Client({ connectionString })
  await client.connect()
  await client.query("insert into users select g, 'a' from generate_series(1, 1500) g; analyze users")
  await client.end()
  writeSchema(cwd, 'empty', columns('name: text()'))
  const { created: { tag } } = await json('create', '-m', 'nullable')
  const file = /^\d{14}/.test(tag) ? join(tag, 'migration.sql') : `${tag}.sql`
  writeFileSync(join(cwd, 'drizzle', file), 'DROP INDEX a;\nALTER TABLE users ADD CHECK (id > 0)')

  const { code, out } = await migrate('lint')
  t.equal(code, 3)
  t.match(out, '2 statements would block a table in use\n')
  t.match(out, /:1 {2}drop-index\n {4}DROP INDEX a\n[^]*\n {6}- Instead/)
  t.match(out, /:2 {2}check-constraint \(about 1,500 rows\)\n {4}ADD CHECK \(id > 0\)\n[^]*\n {6}1\. Here: /)
  t.match(await json('lint'), { code: 3, ok: false, findings: [{ rule: 'drop-index', tag }, { rule: 'check-constraint', table: 'users', line: 2, rows: 1500 }] })

  const withoutDatabase = (...argv: string[]) => call(cwd, ['migrate', 'lint', ...argv])
  t.match(await withoutDatabase(), { code: 2, err: /No database is given/ })
  t.match(await withoutDatabase('--all'), { code: 3, out: /^2 statements/ })
  t.match(await withoutDatabase(join('drizzle', file)), { code: 3, out: /^2 statements/ })
  t.match(await withoutDatabase('--folder', 'drizzle', tag), { code: 3, out: /^2 statements/ })
  t.match(await withoutDatabase('none'), { code: 1, err: /There is no migration none/ })
  t.match(await withoutDatabase('--all', tag), { code: 2, err: /give one of the two/ })
  t.match(await migrate('up', tag), { code: 2, err: /migrate up takes no argument/ })
  t.match(await call(cwd, ['migrate', 'lint', '--help']), { code: 0, out: /^data-access migrate lint \[file\.\.\.\]/ })
})
