import t from 'tap'
import { attackLists, strangeIn } from './lists.js'

t.test('hostile requests get 2xx or 4xx from a finite set of statements on declared columns', async (t) => {
  const { statuses, texts } = await attackLists(t, { requests: 3000, seed: 20261125 })

  t.ok(Number(statuses.get(200)) > 100, 'some of them are what a list is for')
  t.ok(Number(statuses.get(400)) > 1000)
  t.strictSame([...texts].filter((text) => strangeIn(text) !== ''), [])
  // Five filters, twelve orders, and pages by number, limit or cursor: each cursor either way, with and without NULL.
  t.ok(texts.size <= 2 ** 5 * 12 * 8)
})

t.test('an undeclared name in a statement is found', async (t) => {
  t.equal(strangeIn('select "id" from "people" where "people"."is_admin" = $1'), '"is_admin"')
  t.equal(strangeIn('select "id" from "people" where pg_sleep(9) is null'), 'pg_sleep9')
  t.equal(
    strangeIn('select "id", "secret" from "people" where ("people"."age" >= $1 and "people"."deletedAt" is null) order by "people"."id" desc limit $2'),
    ''
  )
})
