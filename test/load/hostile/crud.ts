/** Sends hostile requests to the routes that `crud` makes, and checks their replies, their SQL, and what they wrote. */
import assert from 'node:assert/strict'
import { sql } from 'drizzle-orm'
import { integer, jsonb, pgTable, text, varchar } from 'drizzle-orm/pg-core'
import { crud, version } from '../../../plugins/index.js'
import { seeded } from '../crash/random.js'
import { buildTarget, sendTo } from './target.js'
import { HostileWrites } from './writes.js'
import type { Test } from '../../helpers/test.js'
import type { Attack } from './target.js'

const people = pgTable('people', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: varchar({ length: 20 }).notNull(),
  age: integer(),
  extra: jsonb(),
  isAdmin: integer('is_admin').notNull().default(0),
  secret: text().notNull().default('hush-hush'),
  ...version()
})

/** Sends the given number of requests, and throws at the first wrong reply. */
export async function attackCrud (t: Test, { requests, seed }: { requests: number, seed: number }): Promise<Attack> {
  const target = await buildTarget(t)
  const { server } = target
  await server.db.execute(sql`create table people (id integer primary key generated always as identity, name varchar(20) not null, age integer check (age between 0 and 150),
    extra jsonb, is_admin integer not null default 0, secret text not null default 'hush-hush', version integer not null default 1)`)
  await server.db.execute(sql`insert into people (name, age) select 'P' || n, nullif(n % 7, 3) from generate_series(1, 12) n`)
  await server.register(crud(people, {
    prefix: '/people',
    list: { filterable: { name: ['eq', 'contains'], age: ['eq', 'gte'] }, sortable: ['age', 'name'], searchable: ['name'], maxLimit: 5 },
    get: true,
    create: ['name', 'age', 'extra'],
    update: ['age', 'extra'],
    remove: 'final',
    hidden: ['isAdmin', 'secret']
  }))

  const hostile = new HostileWrites(seeded(seed))
  const attack = await sendTo(target, {
    requests,
    next: () => hostile.next(),
    check: (request, { statusCode, body, headers }) => {
      const asked = JSON.stringify(request)
      const about = `${statusCode} ${body} for ${asked}`
      assert.ok((statusCode >= 200 && statusCode < 300) || statusCode === 304 || (statusCode >= 400 && statusCode < 500), about)
      for (const hidden of ['isAdmin', 'is_admin', 'secret']) assert.ok(asked.includes(hidden) || !body.includes(hidden), about)
      assert.doesNotMatch(body + JSON.stringify(headers), /hush-hush|"people"|\.ts:\d|select |postgres/, about)
      if (statusCode < 300 && body !== '') learn(hostile, JSON.parse(body))
    }
  })
  const { rows: [untouched] } = await server.db.execute<{ strange: number }>(sql`select count(*)::int as strange from people
    where is_admin <> 0 or secret <> 'hush-hush' or length(name) > 20 or version < 1`)
  assert.equal(untouched?.strange, 0, 'nothing was written but what is named')
  return attack
}

/** Keeps cursors and ids, and checks that a row has the shown columns alone. */
function learn (hostile: HostileWrites, answer: { items?: object[], next?: string | null, previous?: string | null, id?: number }): void {
  for (const row of answer.items ?? [answer]) assert.deepEqual(Object.keys(row), ['id', 'name', 'age', 'extra', 'version'])
  for (const cursor of [answer.next, answer.previous]) if (typeof cursor === 'string') hostile.learnCursor(cursor)
  if (answer.id !== undefined) hostile.learnId(answer.id)
}

const identifiers = ['people', 'id', 'name', 'age', 'extra', 'version']

/** The parts of a statement that are neither SQL of these routes nor a column that they may name; empty for every allowed statement. */
export function strangeInCrud (statement: string): string {
  return statement
    // An insert names the other columns only to fill them by default. Writes, and changes of nothing, read the whole row, of which the routes show a part.
    .replace(/(insert into "people" \()[^)]*(\) values \()[^)]*\)/, '$1$2')
    .replace(/ returning .*/s, '')
    .replace(/select .* from "people"/, '')
    .replace(/"(\w+)"/g, (name, bare: string) => identifiers.includes(bare) ? '' : name)
    .replace(/\$\d+|\b(select|insert|into|values|update|set|delete|from|where|and|or|not|is|null|like|ilike|order|by|desc|limit|offset|for|begin|commit|rollback|1)\b|<=|>=|[+=<>(),.;\s]/g, '')
}
