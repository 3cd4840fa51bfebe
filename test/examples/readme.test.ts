import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { sql } from 'drizzle-orm'
import { projectRoot } from '../house/source-files.js'
import { exampleBelow } from '../helpers/markdown.js'
import { build } from '../helpers/server.js'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'

const schema = `
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { timestamps } from 'fastify-data-access'
export const users = pgTable('readers', { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull(), email: text().notNull(), ...timestamps() })
`

interface Place {
  readonly page: string
  readonly section: string
}

/** The first TypeScript of a section of a page, as a module that declares its routes on a server. */
function routesOf ({ page, section }: Place): string {
  const lines = exampleBelow(page, section).split('\n')
  const isImport = (line: string): boolean => line.startsWith('import ')
  return [
    ...lines.filter(isImport),
    'export function routes (server: import("fastify").FastifyInstance) {',
    ...lines.filter((line) => !isImport(line)),
    '}'
  ].join('\n')
}

/** Declares the routes of a section on the server. */
async function declareRoutes (t: Test, server: FastifyInstance, place: Place): Promise<void> {
  const here = (text: string): string => text.replaceAll("'fastify-data-access'", `'${pathToFileURL(join(projectRoot, 'plugins/index.ts')).href}'`)
  const folder = t.testdir({ 'schema.ts': here(schema), 'routes.ts': here(routesOf(place)).replace('./schema.js', './schema.ts') })
  const { routes } = await import(pathToFileURL(join(folder, 'routes.ts')).href) as { routes: (server: FastifyInstance) => void }
  routes(server)
}

t.test('the routes of "List routes" in docs/lists.md list, sort, page and stream', async (t) => {
  const server = await build(t)
  await server.db.execute(sql`create table readers (id integer primary key generated always as identity, name text not null, email text not null,
    "createdAt" timestamptz(3) not null default now(), "updatedAt" timestamptz(3) not null default now())`)
  await server.db.execute(sql`insert into readers (name, email) select 'ada ' || n, n || '@example.com' from generate_series(1, 30) n`)
  await declareRoutes(t, server, { page: 'docs/lists.md', section: 'List routes: `listQuery`' })

  const first = (await server.inject('/users?name[contains]=ada&sort=-createdAt&limit=20')).json()
  const second = (await server.inject(`/users?name[contains]=ada&sort=-createdAt&limit=20&after=${first.next}`)).json()
  t.match([first.items.length, second.items.length, second.next], [20, 10, null])
  t.equal((await server.inject('/users?email=x')).statusCode, 400)
  t.equal((await server.inject('/users?limit=101')).statusCode, 400)
  t.equal((await server.inject('/users/export')).body.split('\n').length - 1, 30)
})

t.test('the routes of "Writing" in docs/repository.md refuse undeclared columns and stale rows', async (t) => {
  const server = await build(t)
  await server.db.execute(sql`create table members (id integer primary key generated always as identity, email text not null, name text not null,
    role text not null default 'guest', visits integer not null default 0, "deletedAt" timestamptz(3), version integer not null default 1)`)
  await server.db.execute(sql`create unique index members_live on members (email) where "deletedAt" is null`)
  await declareRoutes(t, server, { page: 'docs/repository.md', section: 'Writing' })
  const ask = async (method: 'POST' | 'PUT' | 'DELETE', url: string, payload?: object): Promise<[number, unknown]> => {
    const reply = await server.inject({ method, url, ...payload && { payload } })
    return [reply.statusCode, reply.json()]
  }
  const ada = { email: 'Ada@Example.com', name: 'Ada' }

  t.match(await ask('POST', '/members', ada), [200, { email: 'ada@example.com', role: 'guest', version: 1 }])
  t.match(await ask('POST', '/members', { ...ada, role: 'admin' }), [400, { message: 'Column "role" may not be written here' }])
  t.match(await ask('POST', '/members/1/visits'), [200, { visits: 1, version: 2 }])
  t.match(await ask('PUT', '/members/1', { ...ada, version: 1 }), [409, { code: 'DB_STALE_ROW' }])
  t.match(await ask('PUT', '/members/1', ada), [400, { code: 'DB_VALIDATION' }])
  t.match(await ask('PUT', '/members/1', { ...ada, name: 'Augusta', version: 2 }), [200, { name: 'Augusta', version: 3 }])
  t.match(await ask('DELETE', '/members/1'), [200, { version: 4 }])
  t.match(await ask('PUT', '/members/1', { ...ada, version: 4 }), [404, {}])
  t.match(await ask('POST', '/members', ada), [200, { email: 'ada@example.com' }])
})
