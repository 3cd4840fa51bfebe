import Fastify from 'fastify'
import { sql } from 'drizzle-orm'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import t from 'tap'
import dataAccess from '../../plugins/index.js'
import { createTestDatabase, expectNoLeaks } from '../../src/testing/index.js'
import { seeded } from '../load/crash/random.js'
import { unhurried } from '../helpers/database.js'
import { fastifysCompiler, schemas } from './json-schemas.js'
import { matrix, typesSql } from './types.js'
import type { Repository } from '../../src/index.js'
import type { Compile } from './json-schemas.js'
import type { MatrixColumn, Pair } from './types.js'

t.setTimeout(600_000)

const seed = Number(process.env['JSON_SEED'] ?? Date.now() % 1_000_000)
const random = seeded(seed)
const rowsOfTable = 40
const rounds = 12

/** Every kind of column, with its values. */
const kinds = matrix.filter(({ values }) => values.length > 0)

const everything = pgTable('everything', {
  id: integer().primaryKey(),
  // The builders can be of any type, which TypeScript does not know.
  ...Object.fromEntries(kinds.map(({ column }, place) => [`c${place}`, column() as unknown as ReturnType<typeof integer>]))
})

const tableSql = `create table everything (id integer primary key, ${kinds.map(({ sql }, place) => `c${place} ${sql}`).join()})`

/** A row of random values, as SQL. */
const rowSql = (id: number): string => `(${id}, ${kinds.map(({ values }) => random.pick(values as [Pair, ...Pair[]])[1]).join()})`

/** A document has other blanks. Its values differ if the schema says something else about them. */
const isDocument = ({ name }: MatrixColumn): boolean => /^jsonb?$/.test(name)

/**
 * The schemas that a column can have, and that Fastify's serializer takes for its values. As an object, it takes a text of a type of
 * the program's own for its letters.
 */
function schemasOf (kind: MatrixColumn, key: string, { repo, compile }: { repo: Repository<typeof everything>, compile: Compile }): object[] {
  return schemas.filter((property) => {
    if ('additionalProperties' in property || (isDocument(kind) && 'type' in property)) return false
    const schema = { type: 'object', properties: { [key]: property } }
    try {
      repo.json(schema)
      const serialize = compile(schema)
      for (const [value] of kind.values) serialize({ [key]: value })
      return true
    } catch {
      return false
    }
  })
}

t.test(`random rows of every type have the reply that Fastify makes of them: JSON_SEED=${seed}`, async (t) => {
  const { connectionString } = await createTestDatabase(t as never)
  const server = Fastify()
  t.teardown(() => server.close())
  await server.register(dataAccess, { connectionString, ...unhurried })
  await server.db.execute(sql.raw(`${typesSql}; ${tableSql}`))
  await server.db.execute(sql.raw(`insert into everything values ${Array.from({ length: rowsOfTable }, (_, id) => rowSql(id)).join()}`))

  const tools = { repo: server.db.repo(everything), compile: await fastifysCompiler(t as never) }
  const fitting = kinds.map((kind, place) => schemasOf(kind, `c${place}`, tools))
  t.strictSame(kinds.filter((_kind, place) => fitting[place]?.length === 0).map(({ name }) => name), [], 'every type has a schema')

  const asked = Array.from({ length: rounds }, (_, round) => {
    const places = [...kinds.keys()].filter(() => random.next() < 0.3)
    const shuffled = places.toSorted(() => random.next() - 0.5)
    const properties = Object.fromEntries(shuffled.map((place) => [`c${place}`, random.pick(fitting[place] as [object, ...object[]])]))
    const row = { type: 'object', properties, required: Object.keys(properties).filter(() => random.next() < 0.2) }
    const schema = { response: { 200: { type: 'array', items: row } } }
    server.get(`/rows/${round}`, { schema }, (request) => request.repo(everything).getAll({ limit: rowsOfTable }))
    server.get(`/json/${round}`, { schema }, (request) => request.repo(everything).json(row).getAll({ limit: rowsOfTable }))
    return { round, properties, hasDocument: places.some((place) => isDocument(kinds[place] as MatrixColumn)) }
  })
  for (const { round, properties, hasDocument } of asked) {
    const [rows, json] = [await server.inject(`/rows/${round}`), await server.inject(`/json/${round}`)]
    const message = JSON.stringify(properties)
    t.strictSame([json.statusCode, json.headers['content-type']], [200, rows.headers['content-type']], message)
    if (hasDocument) t.strictSame(json.json(), rows.json(), message)
    else t.equal(json.body, rows.body, message)
  }
  await expectNoLeaks(server.db)
})
