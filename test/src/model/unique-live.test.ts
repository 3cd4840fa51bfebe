import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { UniqueViolationError, UsageError } from '../../../src/errors/errors.js'
import { softDelete } from '../../../src/model/columns.js'
import { describeTable } from '../../../src/model/table.js'
import { uniqueLive } from '../../../src/model/unique-live.js'
import { openRepositories } from '../../helpers/runner.js'

const people = pgTable('people', { id: integer().primaryKey(), firm: text().notNull(), email: text().notNull(), ...softDelete() },
  (table) => [uniqueLive(table.firm, table.email)])

for (const casing of [undefined, 'snake_case'] as const) {
  t.test(`rows that live differ, deleted ones do not matter, in the migration that drizzle-kit writes (casing: ${casing})`, async (t) => {
    const statements = await generateMigration(generateDrizzleJson({}), generateDrizzleJson({ people }, undefined, undefined, casing))
    const { repo: open } = await openRepositories(t, statements.join(';'), casing === undefined ? {} : { casing })
    const repo = open(people)
    await repo.create({ id: 1, firm: 'a', email: 'ada@example.com' })
    await t.rejects(repo.create({ id: 2, firm: 'a', email: 'ada@example.com' }), UniqueViolationError)
    await repo.create({ id: 3, firm: 'b', email: 'ada@example.com' })

    await repo.softDelete(1)
    await repo.create({ id: 2, firm: 'a', email: 'ada@example.com' })
    await t.rejects(repo.restore(1), UniqueViolationError, 'its twin lives')
    t.ok((await repo.onlyDeleted().getOrThrow(1)).deletedAt, 'and so it stays deleted')
    await repo.softDelete(2)
    t.equal((await repo.restore(1))?.deletedAt, null)
  })
}

t.test('needs a table with softDelete()', async (t) => {
  const plain = pgTable('plain', { id: integer().primaryKey() }, (table) => [uniqueLive(table.id)])
  t.throws(() => describeTable(plain), UsageError)
})
