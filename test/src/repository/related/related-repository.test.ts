import { asc, gt, sql } from 'drizzle-orm'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import t from 'tap'
import { NotFoundError, UsageError, ValidationError } from '../../../../src/errors/errors.js'
import { openDatabase } from '../../../../src/index.js'
import { Repositories } from '../../../../src/repository/repository-factory.js'
import { isDrizzle1, orderByOf, relations, snakeCase, whereOf } from '../../../helpers/drizzle.js'
import { openRepositories } from '../../../helpers/runner.js'
import { declared, tables, authors, books, pages, days, moments, bills, lines } from './schema.js'
import type { RelatedRepository } from '../../../../src/index.js'

const strangers = pgTable('strangers', { id: integer().primaryKey() })

/** Replaces the types of a registered schema, because this test has its own tables. */
type Loose = RelatedRepository<typeof authors, never> & RelatedRepository<typeof books, never> & RelatedRepository<typeof pages, never>

const { runner, connectionString } = await openRepositories(t, tables, snakeCase)
const repositories = new Repositories({ ...declared, ...snakeCase, defaultLimit: 100, maxLimit: 1000 })
const authorRepo = repositories.create(runner, authors)
const bookRepo = repositories.create(runner, books)

function related (repo: { with (relations: never): unknown }, wanted: unknown): Loose {
  return repo.with(wanted as never) as Loose
}

t.test('returns each row with its related rows, in the order of keys, without deleted ones', async (t) => {
  const whole = related(authorRepo, { books: { columns: { id: true, title: true, at: true } } })
  const ada = {
    id: 1, fullName: 'Ada', deletedAt: null, books: [{ id: 10, title: 'A', at: new Date('2026-01-01T00:00:00Z') }, { id: 11, title: 'B', at: null }]
  }
  const bob = { id: 2, fullName: 'Bob', deletedAt: null, books: [] }
  t.strictSame(await whole.get(1), ada)
  t.strictSame(await whole.getOrThrow(2), bob)
  t.strictSame(await whole.getBy({ fullName: 'Ada' }), ada)
  t.strictSame(await whole.getByOrThrow({ fullName: 'Ada' }, { lock: 'share' }), ada)
  t.strictSame(await whole.getMany([2, 1, 3]), [bob, ada])
  t.strictSame(await whole.getAll(), [ada, bob])
  t.strictSame(await whole.filter({ id: { lt: 9 } }, { orderBy: { id: 'desc' }, limit: 1 }), [bob])
  t.strictSame(await whole.first({}, { orderBy: { id: 'desc' } }), bob)
  t.strictSame(await whole.paginate({}, { limit: 1, page: 2 }), { items: [bob], page: 2, limit: 1, total: 2, pages: 2 })
  const page = await whole.cursor({}, { limit: 1 })
  t.strictSame(page.items, [ada])
  t.strictSame(await whole.cursor({}, { limit: 1, after: String(page.next) }), {
    items: [bob], next: null, previous: (await whole.cursor({}, { limit: 1, after: String(page.next) })).previous
  })
  t.equal(await whole.get(3), undefined)
  await t.rejects(whole.getOrThrow(3), NotFoundError)
  t.strictSame(await whole.getMany([]), [])
})

t.test('reads relations of relations, to one and to many, over composite keys as well', async (t) => {
  t.match(await related(bookRepo, { author: true, pages: { limit: 2, columns: { number: true } } }).get(10), {
    id: 10, author: { fullName: 'Ada' }, pages: [{ number: 1n }, { number: 2n }]
  })
  t.strictSame(
    (await related(bookRepo, { author: { columns: { id: true } } }).getMany([10, 13])).map((row) => Object(row).author),
    [{ id: 1 }, null],
    'a deleted author is not returned'
  )
  t.match(await related(authorRepo, { books: { with: { pages: true }, columns: { id: true } } }).get(1), {
    books: [{ id: 10, pages: [{ text: 'p1' }, {}, {}] }, { id: 11, pages: [] }]
  })
  const pageRows = await related(repositories.create(runner, pages), {
    book: { columns: { title: true } }
  }).filter({ bookId: 13 }, { columns: ['text'], limit: 2 })
  t.strictSame(pageRows, [{ text: 'p1', book: { title: 'D' } }, { text: 'p2', book: { title: 'D' } }], 'the key is read, but not returned')
})

t.test('conditions and orders of related rows are written as in Drizzle', async (t) => {
  const [ada] = await related(authorRepo, { books: { where: whereOf(gt(books.id, 10)), orderBy: orderByOf(asc(books.title)) } }).getAll({ columns: ['id', 'fullName'] })
  t.match(ada, { id: 1, fullName: 'Ada', books: [{ id: 11 }] })
  const wanted = {
    books: {
      orderBy: (fields: typeof books, { desc }: { desc: typeof asc }) => desc(fields.id),
      where: whereOf((fields: typeof books, operators: { lt: typeof gt }) => operators.lt(fields.id, 99))
    }
  }
  t.match(await related(authorRepo, wanted).get(1), { books: [{ id: 11 }, { id: 10 }] })
  t.match(
    await related(repositories.create(runner, pages), { book: { where: whereOf(sql`${books.title} = ${'X'}`) } }).getMany([{ bookId: 10, number: 1n }]),
    [{ text: 'p1', book: null }]
  )
  t.match(await related(bookRepo, { pages: { where: whereOf(gt(pages.number, 2n)) } }).get(10), { pages: [{ text: 'p3' }] })
  t.match(await related(repositories.create(runner, days), { books: true }).getAll(), [{ day: '2026-01-01', books: [{ id: 10, day: '2026-01-01' }] }])
  t.match(await related(authorRepo, { books: false, nope: undefined }).get(1), { id: 1 })
})

t.test('a repository that shows deleted rows shows deleted related rows, too', async (t) => {
  t.match(await related(authorRepo.withDeleted(), { books: true }).get(1), { books: { length: 3 } })
  t.match(await related(authorRepo.onlyDeleted(), { books: true }).getAll(), [{ id: 3, books: [{ id: 13 }] }])
})

const billRepo = repositories.create(runner, bills)
const firstLine = {
  id: 1,
  bill: 1,
  amount: '3.30',
  big: 9007199254740993n,
  host: '10.0.0.1',
  code: 'a   ',
  pair: '(,)',
  isPaid: true,
  tags: ['1.50', null],
  at: '2026-01-01 00:00:00'
}
const emptyLine = { id: 2, bill: 1, amount: null, big: null, host: null, code: null, pair: null, isPaid: null, tags: null, at: null }
const lastLine = { id: 3, bill: 1, amount: '10.0', big: 1n, host: '::1/64', code: '    ', pair: '("",2)', isPaid: false, tags: [], at: 'infinity' }

t.test('related rows have the same values as when they are read directly', async (t) => {
  t.strictSame(await repositories.create(runner, lines).getAll(), [firstLine, emptyLine, lastLine])
  t.strictSame(await related(billRepo, { lines: true }).getMany([2, 1]), [{ id: 2, lines: [] }, { id: 1, lines: [firstLine, emptyLine, lastLine] }])
  t.strictSame(await related(repositories.create(runner, lines), {
    first: { with: { siblings: { columns: { amount: true } }, first: true } }
  }).get(3, { columns: ['code'] as never }), {
    code: '    ', first: { ...firstLine, siblings: [{ amount: '3.30' }, { amount: null }, { amount: '10.0' }], first: firstLine }
  })
  const [one, none] = await related(billRepo, { wide: true }).getMany([1, 2]) as unknown as Array<{ wide: object | null }>
  t.strictSame(
    one?.wide,
    { bill: 1, ...Object.fromEntries(Array.from({ length: 150 }, (_, place) => [`c${place}`, place])) },
    'a function takes fewer arguments than these columns'
  )
  t.equal(none?.wide, null, 'a missing row is null, a row of NULLs is not')
  t.match(await related(billRepo, { numbers: true }).get(3), { numbers: { bill: 3, even: null } })
  await t.rejects(related(billRepo, { numbers: true }).get(2), {
    name: 'DatabaseError',
    message: 'Column "even" of a row cannot be read: its declared type cannot read the stored value',
    context: { table: 'numbers', columns: ['even'] }
  })
})

t.test('columns are included or excluded as in Drizzle', async (t) => {
  const columns = async (columns: object): Promise<unknown> => Object(await related(billRepo, { lines: { columns, limit: 1 } }).get(1)).lines
  t.strictSame(await columns({ amount: true, id: true, big: false, host: undefined }), [{ amount: '3.30', id: 1 }])
  t.strictSame(
    await columns({ bill: false, amount: false, big: false, host: false, code: false, pair: false }),
    [{ id: 1, isPaid: true, tags: ['1.50', null], at: '2026-01-01 00:00:00' }]
  )
  t.strictSame(await columns({}), [{}])
  t.strictSame(await related(billRepo, {}).get(1), { id: 1 })
  t.strictSame(await related(billRepo, { lines: { columns: {} } }).get(1), { id: 1, lines: [{}, {}, {}] })
})

t.test('expressions beside the columns are read as in Drizzle', async (t) => {
  const extras = (fields: typeof lines, operators: { sql: typeof sql }): object => ({
    double: operators.sql`${fields.amount} * ${2}`.as('d'),
    count: sql<string>`(select count(*) from ${lines} as other where other.bill = ${lines.bill})`.as('count'),
    number: sql`(select count(*) from ${lines} as other where other.bill = ${lines.bill})`.mapWith(Number),
    big: sql`${lines.big} + 1`.mapWith(lines.big).as('big'),
    at: sql`${lines.at}`,
    length: sql`length(${lines.code})`.as('length')
  })
  t.match(await related(billRepo, { lines: { columns: { id: true }, extras, where: whereOf(gt(lines.amount, '3')) } }).get(1), {
    lines: [
      { id: 1, double: '6.60', count: '3', number: 3, big: 9007199254740994n, at: '2026-01-01 00:00:00', length: 1 },
      { id: 3, double: '20.0', at: 'infinity' }
    ]
  })
})

t.test('an order or a condition may name undeclared columns, and other tables', async (t) => {
  const ids = async (options: object): Promise<number[]> => (Object(await related(
    billRepo,
    { lines: { columns: { id: true }, ...options } }
  ).get(1)).lines as Array<{ id: number }>).map(({ id }) => id)
  t.strictSame(await ids({ orderBy: orderByOf(sql`undeclared, ${lines.amount} desc nulls first`), limit: 2 }), [2, 3])
  t.strictSame(await ids({ orderBy: orderByOf([lines.host, asc(lines.id)]) }), [1, 3, 2])
  t.strictSame(await ids({ orderBy: (fields: typeof lines) => [fields.code] }), [3, 1, 2])
  t.strictSame(await ids({ where: whereOf(sql`${lines.id} = 1 or ${lines.id} = 3`) }), [1, 3], 'the parts of the condition stay together')
  t.strictSame(await ids({ where: whereOf(sql`exists (select 1 from ${bills} where ${bills.id} = ${lines.id} - 1)`) }), [2, 3])
  t.strictSame(await ids({ where: undefined, orderBy: undefined, limit: 0 }), [])
})

t.test('the same relations make the same statement, prepared', async (t) => {
  const from = runner.statements.length
  await related(authorRepo, { books: { limit: 5 } }).getMany([1, 2])
  await related(authorRepo, { books: { limit: 5 } }).getMany([2])
  t.match(runner.statements.at(-1)?.values, [[2]])
  const [, one, , other] = runner.statements.slice(from)
  t.equal(one?.context, other?.context)
  t.match(one, { kind: 'read', name: String, values: [[1, 2]] })
  await related(authorRepo, { books: { where: whereOf(gt(books.id, 1)) } }).get(1)
  t.equal(runner.statements.at(-1)?.name, undefined)
})

t.test('a row that is deleted between the two statements has no related rows', async (t) => {
  await runner.client.query("insert into authors_table values (7, 'Brief', null); insert into books values (70, 7, 'E', null, null, null)")
  const run = runner.run.bind(runner)
  t.teardown(() => { runner.run = run })
  runner.run = async (statement) => {
    if (statement.context.operation === 'with') await runner.client.query('delete from authors_table where id = 7; delete from books where id = 70')
    return await run(statement)
  }
  t.match(await related(authorRepo, { books: true }).get(7), { id: 7, books: [] })
  await runner.client.query("insert into books values (70, 1, 'E', null, null, null)")
  t.match(await related(bookRepo, { author: true }).get(70), { id: 70, author: null })
})

t.test('refuses unknown relations and options', async (t) => {
  for (const wanted of [{ nope: true }, { constructor: true }, { __proto__: null, toString: true }, { books: 7 }, { books: { nope: 1 } },
    { books: { columns: ['id'] } }, { books: { columns: { nope: true } } }, {
      books: { columns: { constructor: false } }
    }, { books: { columns: { id: 1 } } }, { books: { orderBy: isDrizzle1 ? [asc(books.id)] : { id: 'asc' } } }, { books: { orderBy: 'id' } },
    { books: { where: isDrizzle1 ? gt(books.id, 1) : { id: 1 } } }, {
      books: {
        where: () =>
          7
      }
    }, { books: { extras: 7 } }, { books: { extras: { x: 'id' } } }, { books: { with: { nope: true } } }, { books: { with: 7 } }, null,
    undefined, 'books', []]) {
    await t.rejects(related(authorRepo, wanted).getAll(), UsageError)
  }
  for (const limit of [-1, 1001, '5']) await t.rejects(related(authorRepo, { books: { limit } }).getAll(), ValidationError)
  await t.rejects(related(repositories.create(runner, strangers), { books: true }).getAll(), /Table "strangers" is not in the schema/)
  await t.rejects(related(repositories.create(runner, moments), {}).getAll(), /fewer digits/)
  const bare = new Repositories({ defaultLimit: 100, maxLimit: 1000 })
  await t.rejects(related(bare.create(runner, strangers), {}).getAll(), /is not in the schema/)
  await t.rejects(related(authorRepo, { books: true }).filter({ nope: 1 } as never), ValidationError)
  await t.rejects(related(authorRepo, { books: true }).getAll({ columns: ['nope'] as never }), ValidationError)
})

t.test('runs inside its session, for a database that was given the schema', async (t) => {
  const database = await openDatabase({ connectionString, ...declared, ...snakeCase })
  t.teardown(() => database.close())
  await database.session(async (session) => {
    await session.repo(books).create({ id: 99, authorId: 2, title: 'New' })
    t.match(await related(session.repo(authors), { books: true }).get(2), { books: [{ id: 99, title: 'New' }] })
    await session.rollback()
  })
})

t.test('a relation to a table outside the schema does not exist, and an error of a condition stays as it is', async (t) => {
  const lonely = { authors, authorsRelations: relations(authors, ({ many }) => ({ strangers: many(strangers) })) }
  const repo = new Repositories({ schema: lonely, ...snakeCase, defaultLimit: 100, maxLimit: 1000 }).create(runner, authors)
  await t.rejects(related(repo, { strangers: true }).getAll(), { constructor: UsageError, message: /has no relation "strangers"/ })
  const failure = new Error('of the program')
  await t.rejects(related(authorRepo, { books: { where: whereOf(() => { throw failure }) } }).getAll(), failure)
})
