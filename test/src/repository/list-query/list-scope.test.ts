import t from 'tap'
import { parse } from 'node:querystring'
import { and, eq, sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { UsageError, ValidationError } from '../../../../src/errors/errors.js'
import { listQuery } from '../../../../src/repository/list-query/list-query.js'
import { openRepositories } from '../../../helpers/runner.js'

const invoices = pgTable('invoices', { id: integer().primaryKey(), customerId: integer('customer_id').notNull(), title: text().notNull(), and: text() })

const { repo: open } = await openRepositories(t, `
  create table invoices (id integer primary key, customer_id integer not null, title text not null, "and" text);
  insert into invoices select n, n % 2 + 1, 'T' || n, 'x' from generate_series(1, 12) n`)
const repo = open(invoices)
const list = listQuery(invoices, { filterable: ['title', 'id'], sortable: ['title'], searchable: ['title'], maxLimit: 3 })
const ofTwo = { where: { customerId: 2 } }

t.test('a list with a scope has rows of the scope only, in every form', async (t) => {
  const ids = (rows: ReadonlyArray<{ id: number }>) => rows.map(({ id }) => id)
  t.same(ids(await repo.filter(...list.filter({}, ofTwo))), [1, 3, 5])
  t.same(await repo.paginate(...list.paginate({ page: '2' }, ofTwo)), { items: await repo.getMany([7, 9, 11]), page: 2, limit: 3, total: 6, pages: 2 })
  t.same(ids((await repo.cursor(...list.cursor({}, ofTwo))).items), [1, 3, 5])
  t.same(ids(await repo.filter(...list.filter(parse('sort=-title&title[startsWith]=T1'), ofTwo))), [11, 1])
  t.same(ids(await repo.filter(...list.filter(parse('search=t1'), { where: { customerId: { in: [1] } } }))), [10, 12])
})

t.test('a Drizzle condition is a scope as a whole, also one with OR', async (t) => {
  const scope = { where: sql`${invoices.id} = 1 or ${invoices.id} = 2` }
  t.same((await repo.filter(...list.filter(parse('title=T2'), scope))).map(({ id }) => id), [2])
  t.same(await repo.filter(...list.filter(parse('title=T3'), scope)), [])
  t.same((await repo.filter(...list.filter({}, { where: eq(invoices.customerId, 2) }))).length, 3)
})

t.test('no query can leave the scope, nor see which columns it has', async (t) => {
  for (const query of ['customerId=1', 'customerId[in]=1,2', 'where[customerId]=1', 'where=', 'or[0][customerId]=1', 'and=x', 'not=1', 'scope=1']) {
    t.throws(() => list.filter(parse(query), ofTwo), { constructor: ValidationError, message: /^Unknown parameter/ }, query)
  }
  t.same(await repo.filter(...list.filter(parse('id=2'), ofTwo)), [], 'a row of another scope')
  t.notMatch(JSON.stringify(list.schema), /customerId/)

  const filterable = listQuery(invoices, { filterable: ['customerId'] })
  t.same(await repo.filter(...filterable.filter(parse('customerId=1'), ofTwo)), [], 'both must hold')
  t.same((await repo.filter(...filterable.filter(parse('customerId[in]=1,2'), ofTwo))).length, 6)
})

t.test('a cursor is valid in its own scope only', async (t) => {
  const { next } = await repo.cursor(...list.cursor({}, ofTwo))
  t.same((await repo.cursor(...list.cursor({ after: next }, ofTwo))).items.map(({ id }) => id), [7, 9, 11])
  for (const scope of [{ where: { customerId: 1 } }, { where: {} }, { where: eq(invoices.customerId, 2) }]) {
    await t.rejects(repo.cursor(...list.cursor({ after: next }, scope)), { constructor: ValidationError, message: /does not belong to this list/ })
  }
  await t.rejects(repo.cursor(...list.cursor({ after: next })), ValidationError)
})

t.test('a scope that is missing is never every row', async (t) => {
  t.same((await repo.filter(...list.filter({}, { where: {} }))).length, 3, 'every row must be said')
  for (const scope of [undefined, {}, { where: undefined }, { where: null }, { where: and() }, { where: 'id = 1' }, { where: [] }, [], { were: {} }]) {
    for (const method of ['filter', 'paginate', 'cursor'] as const) {
      t.throws(() => list[method]({}, scope as never), UsageError, `${method} ${JSON.stringify(scope)}`)
    }
  }
  t.throws(() => list.cursor({}, { where: undefined } as never), { message: '"where" of list.cursor() must be an object of columns or a Drizzle condition: leave the scope out, or write { where: {} }, for every row' })
  await t.rejects(repo.filter(...list.filter({}, { where: { customerId: undefined } } as never)), { constructor: ValidationError, message: /undefined in a filter/ })
  await t.rejects(repo.filter(...list.filter({}, { where: { customer: 1 } } as never)), ValidationError)
})
