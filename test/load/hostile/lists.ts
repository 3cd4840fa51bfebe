/** Sends hostile requests to list endpoints, and checks their replies, their SQL, and the rows afterwards. */
import assert from 'node:assert/strict'
import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { listQuery, softDelete } from '../../../plugins/index.js'
import { seeded } from '../crash/random.js'
import { buildTarget, sendTo } from './target.js'
import { HostileRequests } from './requests.js'
import type { Test } from '../../helpers/test.js'
import type { Attack } from './target.js'

const people = pgTable('people', {
  id: integer().primaryKey(), name: text().notNull(), age: integer(), isAdmin: integer('is_admin'), secret: text(), ...softDelete()
})

const list = listQuery(people, { filterable: { name: ['eq', 'contains'], age: ['eq', 'gte'] }, sortable: ['age', 'name'], searchable: ['name'], maxLimit: 5 })

/** Sends the given number of requests, and throws at the first wrong reply. */
export async function attackLists (t: Test, { requests, seed }: { requests: number, seed: number }): Promise<Attack> {
  const target = await buildTarget(t)
  const { server } = target
  await server.db.execute(sql`create table people (id integer primary key, name text not null, age integer, is_admin integer, secret text, "deletedAt" timestamptz(3))`)
  await server.db.execute(sql`insert into people select n, 'P' || n, nullif(n % 7, 3), n % 2, 'hush-hush', case when n > 10 then now() end from generate_series(1, 12) n`)
  const before = await server.db.repo(people).withDeleted().getAll()
  const schema = { querystring: list.schema }
  server.get('/people', { schema }, (request) => request.repo(people).cursor(...list.cursor(request.query)))
  server.post('/people', (request) => request.repo(people).cursor(...list.cursor(request.body)))
  server.get('/pages', { schema }, (request) => request.repo(people).paginate(...list.paginate(request.query)))
  server.get('/rows', { schema }, (request) => request.repo(people).filter(...list.filter(request.query)))
  server.get('/raw', (request) => request.repo(people).filter(...list.filter(request.query)))

  const hostile = new HostileRequests(seeded(seed))
  const attack = await sendTo(target, {
    requests,
    next: () => {
      const request = hostile.next()
      return { ...request, ...(request.payload !== undefined && { headers: { 'content-type': 'application/json' } }) }
    },
    check: (request, { statusCode, body }) => {
      assert.ok(statusCode >= 200 && statusCode < 500 && Math.floor(statusCode / 100) !== 3, `${statusCode} ${body} for ${JSON.stringify(request)}`)
      if (statusCode === 200) learn(hostile, JSON.parse(body))
      else assert.doesNotMatch(body, /hush-hush|"people"|\.ts:\d/, JSON.stringify(request))
    }
  })
  assert.deepEqual(await server.db.repo(people).withDeleted().getAll(), before, 'nothing was written')
  return attack
}

/** Checks that every row belongs to the list, and keeps the cursors. */
function learn (hostile: HostileRequests, answer: { items?: Array<{ id: number }>, next?: string | null, previous?: string | null }): void {
  for (const { id } of answer.items ?? answer as unknown as Array<{ id: number }>) assert.ok(id <= 10, 'a deleted row was shown')
  for (const cursor of [answer.next, answer.previous]) if (typeof cursor === 'string') hostile.learn(cursor)
}

const identifiers = ['people', 'id', 'name', 'age', 'deletedAt']

/** The parts of a statement that are neither SQL of a list nor a declared name; empty for every allowed statement. */
export function strangeIn (statement: string): string {
  const [, condition = ''] = statement.split(' from ')
  return condition
    .replace(/"(\w+)"/g, (name, bare: string) => identifiers.includes(bare) ? '' : name)
    .replace(/\$\d+|\b(where|and|or|not|is|null|like|ilike|order|by|desc|limit|offset)\b|<=|>=|[=<>(),.\s]/g, '')
}
