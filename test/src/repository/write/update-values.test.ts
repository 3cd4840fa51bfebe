import { sql } from 'drizzle-orm'
import { bigint, doublePrecision, integer, jsonb, numeric, pgTable, smallint, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { ValidationError, increment } from '../../../../src/index.js'
import { version } from '../../../../src/model/columns.js'
import { openRepositories } from '../../../helpers/runner.js'

const posts = pgTable('posts', {
  id: integer().primaryKey(),
  title: text(),
  views: integer().notNull().default(0),
  small: smallint().default(0),
  big: bigint({ mode: 'bigint' }).default(0n),
  price: numeric({ precision: 12, scale: 2 }).default('0'),
  ratio: doublePrecision(),
  marks: integer().array(),
  doc: jsonb(),
  ...version()
})

const { repo: open, runner } = await openRepositories(t, `create table posts (
  id integer primary key, title text, views integer not null default 0, small smallint default 0, big bigint default 0,
  price numeric(12, 2) default 0, ratio float8, marks integer[], doc jsonb, version integer not null default 1
);`)
const repo = open(posts)

t.beforeEach(async () => {
  await runner.client.query('truncate posts')
  await runner.client.query('insert into posts (id) values (1), (2)')
})

t.test('increment() adds to the value of the row, for every numeric type', async (t) => {
  t.match(await repo.update(1, { views: increment(2), small: increment(-1), big: increment(2n ** 60n), price: increment('0.10'), title: 'x' }), {
    views: 2, small: -1, big: 2n ** 60n, price: '0.10', title: 'x', version: 2
  })
  t.match(await repo.updateOrThrow(1, { views: increment(1), price: increment(1.5), big: increment(1) }), { views: 3, price: '1.60', big: 2n ** 60n + 1n })
  t.equal(await repo.updateMany({ id: { in: [1, 2] } }, { views: increment(10) }), 2)
  t.same((await repo.getAll()).map(({ views }) => views), [13, 10])
  t.equal((await repo.update(1, { ratio: increment(1) }))?.ratio, null, 'NULL and one is NULL')
})

t.test('increments by any amount share one statement, and so does SQL of the same text', async (t) => {
  const names = async (write: (n: number) => Promise<unknown>): Promise<number> => {
    const before = runner.statements.length
    for (let n = 1; n <= 5; n++) await write(n)
    return new Set(runner.statements.slice(before).map(({ name }) => name)).size
  }
  t.equal(await names((n) => repo.update(1, { views: increment(n) })), 1)
  t.equal(await names((n) => repo.update(1, { views: sql`${posts.views} * ${n}` })), 1)
  t.equal(await names((n) => repo.updateMany({ id: n }, { views: increment(-n), price: increment(n) })), 1)
  t.equal(new Set(runner.statements.slice(-15).map(({ name }) => name)).size, 3, 'but not the same')
  t.equal(runner.statements.at(-1)?.name !== undefined, true)
})

t.test('an increment is not accepted as a plain value, and needs an amount', async (t) => {
  const bad: Array<[object, RegExp]> = [
    [{ title: increment(1) }, /"title" holds no numbers/],
    [{ doc: increment(1) }, /"doc" holds no numbers/],
    [{ marks: increment(1) }, /"marks" holds no numbers/],
    [{ version: increment(1) }, /"version" counts the versions/],
    [{ views: increment(NaN) }, /"views" can be incremented by a finite number only/],
    [{ views: increment(Infinity) }, /finite/],
    [{ price: increment('') }, /finite/],
    [{ price: increment('NaN') }, /finite/],
    [{ views: increment(true as never) }, /finite/],
    [{ views: increment(0.5) }, /./],
    [{ views: increment(2 ** 31) }, /./],
    [{ small: increment(40_000) }, /./]
  ]
  for (const [values, message] of bad) {
    await t.rejects(repo.update(1, values as never), {
      name: /no numbers/.test(message.source) ? 'UsageError' : 'ValidationError', message
    })
  }
  await repo.update(1, { views: 2 ** 31 - 1 })
  await t.rejects(repo.update(1, { views: increment(1) }), ValidationError, 'the sum is too large')
  await t.rejects(repo.create({ id: 3, views: increment(1) as never }), { name: 'UsageError', message: /of a new row/ })
  await t.rejects(repo.filter({ views: increment(1) as never }), ValidationError)
  t.match(await repo.get(1), { views: 2 ** 31 - 1, title: null, doc: null, version: 2 })
})
