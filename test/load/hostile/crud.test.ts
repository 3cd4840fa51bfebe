import t from 'tap'
import { attackCrud, strangeInCrud } from './crud.js'

t.test('hostile requests to the routes of crud get 2xx, 304 or 4xx, and write and read what is named alone', async (t) => {
  const { statuses, texts } = await attackCrud(t, { requests: 2000, seed: 20261130 })

  for (const status of [200, 201, 204, 304, 400, 404, 412, 428]) t.ok(Number(statuses.get(status)) > 5, `${status} is among the replies`)
  t.strictSame([...texts].filter((text) => strangeInCrud(text) !== ''), [])
  t.ok(texts.size < 200, 'there is a finite number of statements')
})

t.test('an undeclared name in a statement is found', async (t) => {
  t.equal(strangeInCrud('update "people" set "age" = $1, "is_admin" = $2 where "people"."id" = $3'), '"is_admin"')
  t.equal(strangeInCrud('select "id", "secret" from "people" where pg_sleep(9) is null'), 'pg_sleep9')
})
