import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { createMigration } from '../../../../../src/migrations/index.js'

const read = (folder: string, name: string) => readFileSync(join(folder, name), 'utf8')

const one = { users: pgTable('users', { id: integer(), name: text() }) }
const other = { users: pgTable('users', { id: integer(), title: text() }) }

/** A terminal whose input the test writes. */
function terminal () {
  const input = Object.assign(new PassThrough(), { isTTY: true })
  const output = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true })
  return { input, output }
}

t.test('asks the user until the answer is valid', async (t) => {
  const folder = t.testdir()
  const { input, output } = terminal()
  await createMigration({ message: 'first', schema: one, folder })
  let shown = ''
  let answers = 0
  output.on('data', (text: string) => {
    shown += text
    if (text.includes('> ')) input.write(['7\n', '2\n'][answers++])
  })
  await createMigration({ message: 'second', schema: other, folder, terminal: { input, output } })

  t.match(shown, /The column users\.title is\n {2}1 {2}new\n {2}2 {2}users\.name, renamed: keeps what is in it\n> One of 1 to 2: > /)
  t.equal(read(folder, '0001_second.sql'), 'ALTER TABLE "users" RENAME COLUMN "name" TO "title";')
})

t.test('creates an object that the user calls new', async (t) => {
  const folder = t.testdir()
  const { input, output } = terminal()
  await createMigration({ message: 'first', schema: one, folder })
  output.on('data', () => input.write('1\n'))
  await createMigration({ message: 'second', schema: other, folder, terminal: { input, output } })

  t.equal(read(folder, '0001_second.sql'), 'ALTER TABLE "users" ADD COLUMN "title" text;--> statement-breakpoint\nALTER TABLE "users" DROP COLUMN "name";')
})

t.test('writes nothing if the user does not answer, or the signal aborts', async (t) => {
  const folder = t.testdir()
  await createMigration({ message: 'first', schema: one, folder })
  const stop = new AbortController()
  for (const end of [(input: PassThrough) => input.end(), () => stop.abort()]) {
    const { input, output } = terminal()
    output.on('data', () => end(input))
    await t.rejects(
      createMigration({ message: 'second', schema: other, folder, terminal: { input, output }, signal: stop.signal }),
      { code: 'DB_MIGRATION_AMBIGUOUS', message: 'The question was not answered, so nothing was written' }
    )
  }
  t.notOk(existsSync(join(folder, '0001_second.sql')))
})
