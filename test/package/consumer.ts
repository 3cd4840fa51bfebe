/**
 * The programs of somebody who has installed the package: texts, because they are only right where they are installed.
 */
import { exampleBelow, exampleWith } from '../helpers/markdown.js'

// What the first example takes for granted: a table, JSON schemas made from it, and somebody who sends mail.
const schema = `
import { integer, pgTable, text } from 'drizzle-orm/pg-core'

export const users = pgTable('users', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  email: text().notNull().unique()
})
export type NewUser = typeof users.$inferInsert
export const userId = { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } } as const
export const newUser = {
  type: 'object',
  required: ['name', 'email'],
  properties: { name: { type: 'string' }, email: { type: 'string' } }
} as const
`

// Variables of the types that Drizzle gives, and repositories that know each other: TypeScript's versions differ here.
const variables = `
import { integer, jsonb, pgTable, serial, text } from 'drizzle-orm/pg-core'
import { openDatabase, Repository, softDelete, timestamps, version } from 'fastify-data-access/core'

const people = pgTable('people', { id: serial().primaryKey(), name: text().notNull(), tags: text().array().notNull().default([]), ...timestamps() })
const notes = pgTable('notes', { id: integer().primaryKey().generatedAlwaysAsIdentity(), body: jsonb(), ...softDelete(), ...version() })

class NoteRepository extends Repository.of(notes, { writable: ['body'] }) {
  writer (id: number) { return this.repo(people).get(id) }
  named (name: string) { return this.session.repo(people).getBy({ name }) }
}

export async function write (person: typeof people.$inferInsert, note: typeof notes.$inferInsert) {
  const database = await openDatabase()
  const repo = database.repo(people)
  await repo.create(person)
  await repo.createMany([person])
  await repo.update(1, person)
  await repo.updateMany({ id: 1 }, person)
  await repo.upsert(person)
  await repo.upsertMany([person])
  await database.repo(notes).create(note)
  await database.repo(notes).update(1, note)
  const writer = await database.repo(NoteRepository).writer(1)
  return writer?.createdAt
}
`

const surroundings = `
declare global {
  var mailer: { welcome (email: string): void }
}
globalThis.mailer = { welcome: (email) => console.log('welcome ' + email) }
export {}
`

// The registered schema reaches Drizzle's relational queries; a column that is not there does not compile.
const registered = `
import type { FastifyRequest } from 'fastify'
import type * as schema from './schema.js'
import { users } from './schema.js'

declare module 'fastify-data-access' {
  interface Register { schema: typeof schema }
}

export async function nameOf (request: FastifyRequest): Promise<string | undefined> {
  // @ts-expect-error there is no such column
  request.repo(users).getBy({ emial: 'ada@example.com' })
  return (await request.db.drizzle.query.users.findFirst())?.name
}
`

/** What somebody has who writes migrations. */
export const commandProject = {
  'drizzle.config.ts': "import { defineConfig } from 'drizzle-kit'\nexport default defineConfig({ dialect: 'postgresql', schema: './schema.ts', out: './drizzle', casing: 'snake_case' })\n",
  'schema.ts': "import { integer, pgTable } from 'drizzle-orm/pg-core'\nimport { words } from './columns.js'\nexport const notes = pgTable('notes', { id: integer().primaryKey(), ...words })\n",
  'columns.ts': "import { text } from 'drizzle-orm/pg-core'\nenum Word { First = 'none' }\nexport const words = { wholeText: text().notNull().default(Word.First) }\n"
}

/** What stands where migrations are only run. */
export const scriptConfig = "export default { dialect: 'postgresql', out: './drizzle' }\n"

export const createTable = 'create table users (id integer primary key generated always as identity, name text not null, email text not null unique)'

/** The first TypeScript of the README, which is what most people will copy; it listens where `PORT` says. */
function firstExample (): string {
  const code = exampleBelow('README.md', 'fastify-data-access')
  if (!code.includes('port: 3000')) throw new Error('The first example of README.md does not listen on port 3000')
  return code.replace('port: 3000', 'port: Number(process.env.PORT)')
}

const esm = `
import assert from 'node:assert/strict'
import dataAccess, * as door from 'fastify-data-access'
import * as core from 'fastify-data-access/core'
import * as migrations from 'fastify-data-access/migrations'
import * as telemetry from 'fastify-data-access/opentelemetry'
import * as metrics from 'fastify-data-access/prometheus'
import * as testing from 'fastify-data-access/testing'
import manifest from 'fastify-data-access/package.json' with { type: 'json' }

assert.equal(typeof dataAccess, 'function')
assert.equal(typeof testing.createTestDatabase, 'function')
assert.equal(typeof migrations.runMigrations, 'function')
assert.equal(typeof telemetry.openTelemetry, 'function')
assert.equal(typeof metrics.prometheus, 'function')
assert.equal(manifest.name, 'fastify-data-access')
const tried = ['.', './core', './migrations', './opentelemetry', './package.json', './prometheus', './testing']
assert.deepEqual(Object.keys(manifest.exports).sort(), tried, 'every door is tried')
const missing = Object.keys(core).filter((name) => !(name in door))
assert.deepEqual(missing, [], 'the main door has everything of the core')
`

const cjs = `
const assert = require('node:assert/strict')
const { default: dataAccess, openDatabase } = require('fastify-data-access')
const core = require('fastify-data-access/core')

assert.equal(typeof dataAccess, 'function')
assert.equal(openDatabase, core.openDatabase)
`

const coreOnly = `
import assert from 'node:assert/strict'
import { openDatabase } from 'fastify-data-access/core'

await assert.rejects(import('fastify'), { code: 'ERR_MODULE_NOT_FOUND' })
const database = await openDatabase({ connectionString: process.env.DATABASE_URL })
const health = await database.checkHealth()
await database.close()
assert.equal(health.healthy, true)
`

/** The files of a project that uses Fastify, by name. */
export function serverProject (): Record<string, string> {
  return {
    'schema.ts': schema,
    'surroundings.ts': surroundings,
    'registered.ts': registered,
    'example.ts': firstExample(),
    'main.ts': "import './surroundings.js'\nimport './example.js'\n",
    'import.mjs': esm,
    'require.cjs': cjs,
    'variables.ts': variables,
    'tsconfig.json': JSON.stringify({
      compilerOptions: { module: 'nodenext', target: 'es2022', strict: true, types: ['node'], rootDir: '.', outDir: 'out', skipLibCheck: true },
      include: ['*.ts']
    })
  }
}

/** The files of a project that follows README.md and docs/testing.md word for word, for each runner a file of tests, by name. */
export function testingProject (): Record<string, string> {
  return {
    'schema.ts': exampleWith('README.md', "export const users = pgTable('users'"),
    'build-server.ts': exampleWith('docs/testing.md', 'export async function buildServer'),
    'node.test.ts': exampleWith('docs/testing.md', "import { after, afterEach, beforeEach, test } from 'node:test'"),
    'vitest.test.ts': exampleWith('docs/testing.md', "import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'"),
    'tap.test.ts': exampleWith('docs/testing.md', "import t from 'tap'"),
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        module: 'nodenext', target: 'es2022', lib: ['es2023', 'esnext.disposable'], strict: true, noEmit: true, types: ['node'], skipLibCheck: true
      },
      include: ['*.ts']
    })
  }
}

/** The files of a project without Fastify, by name. */
export const scriptProject: Record<string, string> = { 'core.mjs': coreOnly }
