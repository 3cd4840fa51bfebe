import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createTestDatabase } from '../../src/testing/index.js'
import { call } from '../src/migrations/cli/calling.js'

const guide = readFileSync(new URL('../../docs/existing-database.md', import.meta.url), 'utf8')

/** The arguments of each command in a block of the guide, in order. */
const commands = [...guide.matchAll(/^npx data-access (.*)$/gm)].map(([, line]) =>
  [...String(line).matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? String(plain)))

t.test('each command of the guide runs on a database of years, in the order of the guide', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: readFileSync(new URL('legacy.sql', import.meta.url), 'utf8') })
  const cwd = t.testdir({ 'drizzle.config.json': JSON.stringify({ dialect: 'postgresql', schema: './schema.ts', out: './drizzle' }) })
  t.equal(commands.length, 8)
  for (const argv of commands) {
    if (argv.includes('create')) {
      // A module is loaded once, so the changed file has another name.
      const text = readFileSync(join(cwd, 'schema.ts'), 'utf8').replace("  firstName: text('First Name').notNull(),", '$&\n  nickname: text(),')
      writeFileSync(join(cwd, 'changed.ts'), text)
      writeFileSync(join(cwd, 'drizzle.config.json'), JSON.stringify({ dialect: 'postgresql', schema: './changed.ts', out: './drizzle' }))
    }
    t.match(await call(cwd, argv, { env: { DATABASE_URL: connectionString } }), { code: 0 }, argv.join(' '))
  }

  const { database } = await createTestDatabase(t, { migrations: join(cwd, 'drizzle') })
  const { rows } = await database.query('select count(*)::int as n from "Customers"')
  t.strictSame(rows, [{ n: 0 }], 'tests get a database of the same structure, without its rows')
})
