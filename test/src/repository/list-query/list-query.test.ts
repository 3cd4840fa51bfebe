import t from 'tap'
import { parse } from 'node:querystring'
import {
  bigint, boolean, customType, date, doublePrecision, inet, integer, jsonb, numeric, pgEnum, pgTable, smallint, text, time, timestamp, uuid
} from 'drizzle-orm/pg-core'
import { ValidationError } from '../../../../src/errors/errors.js'
import { listQuery } from '../../../../src/repository/list-query/list-query.js'
import { openRepositories } from '../../../helpers/runner.js'

const mood = pgEnum('mood', ['sad', 'glad'])
const things = pgTable('things', {
  id: integer().primaryKey(),
  name: text(),
  rank: smallint(),
  big: bigint({ mode: 'bigint' }),
  safe: bigint({ mode: 'number' }),
  price: numeric(),
  ratio: doublePrecision(),
  flag: boolean(),
  at: timestamp({ withTimezone: true }),
  atText: timestamp('at_text', { withTimezone: true, mode: 'string' }),
  day: date(),
  clock: time(),
  token: uuid(),
  mood: mood(),
  limit: integer(),
  address: inet(),
  settings: jsonb()
})

const { repo: open, runner } = await openRepositories(t, `
  create type mood as enum ('sad', 'glad');
  create table things (id integer primary key, name text, rank smallint, big bigint, safe bigint, price numeric, ratio float8, flag boolean, at timestamptz,
    at_text timestamptz, day date, clock time, token uuid, mood mood, "limit" integer, address inet, settings jsonb);
  insert into things select n, case n when 1 then '50%' when 2 then '50x' when 3 then 'a_b' when 4 then 'axb' when 5 then 'c\\d' else 'Thing ' || n end,
    n, n, n, n / 2.0, n / 2.0, n % 2 = 0,
    '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 hour', '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 hour',
    date '2026-01-01' + n, time '00:00' + n * interval '1 minute', ('00000000-0000-4000-8000-0000000000' || lpad(n::text, 2, '0'))::uuid,
    case when n < 5 then 'sad' else 'glad' end::mood, n from generate_series(1, 20) n`)
const repo = open(things)

const everything = listQuery(things, {
  filterable: ['name', 'rank', 'big', 'safe', 'price', 'ratio', 'flag', 'at', 'atText', 'day', 'clock', 'token', 'mood', 'limit', 'id'],
  sortable: ['id', 'name', 'at', 'price'],
  searchable: ['name'],
  maxLimit: 50
})

/** The ids that a query string finds. */
async function ids (query: string, list = everything): Promise<number[]> {
  return (await repo.filter(...list.filter(parse(query)))).map(({ id }) => id)
}

t.test('turns a query string into a filter, an order and a page', async (t) => {
  t.same(everything.filter(parse('name[contains]=ada&sort=-at,name&limit=20')),
    [{ and: [{ name: { contains: 'ada' } }] }, { orderBy: { at: 'desc', name: 'asc' }, limit: 20 }])
  t.same(everything.paginate(parse('page=3')), [{ and: [] }, { orderBy: {}, limit: 50, page: 3 }])
  t.same(everything.cursor(parse('after=abc')), [{ and: [] }, { orderBy: {}, limit: 50, after: 'abc' }])
  t.same(everything.cursor({ before: 'abc', after: undefined }), [{ and: [] }, { orderBy: {}, limit: 50, before: 'abc' }])
  t.same(listQuery(things).filter({}), [{ and: [] }, { orderBy: {} }])
  t.same(listQuery(things, { maxLimit: 500 }).filter({}), [{ and: [] }, { orderBy: {}, limit: 100 }])
  t.same(listQuery(things, { maxLimit: 500, defaultLimit: 7 }).filter({}), [{ and: [] }, { orderBy: {}, limit: 7 }])
})

t.test('reads every operator, by the type of its column', async (t) => {
  const found: Array<[query: string, ids: number[]]> = [
    ['id=7', [7]], ['id[in]=3,1,99', [1, 3]], ['id[in]=3', [3]], ['id[between]=5,7', [5, 6, 7]], ['rank[gte]=19', [19, 20]], ['rank[lt]=3', [1, 2]],
    ['big=4', [4]], ['big[gt]=18', [19, 20]], ['safe[lte]=1', [1]], ['price=2.5', [5]], ['ratio[between]=1,1.5', [2, 3]], ['ratio=5e-1', [1]],
    ['flag=true&id[lt]=5', [2, 4]], ['flag=false&id[lt]=5', [1, 3]], ['flag[isNull]=true', []], ['at[lte]=2026-01-01T02:00:00Z', [1, 2]],
    ['at[gt]=2026-01-01T21:00:00%2B02:00', [20]], ['at[lt]=2026-01-01', []], ['atText=2026-01-01T03:00:00Z', [3]], ['day=2026-01-05', [4]],
    ['clock=00:06', [6]], ['token=00000000-0000-4000-8000-000000000009', [9]], ['mood=sad&id[gt]=2', [3, 4]], ['mood[ne]=glad&id[lt]=2', [1]],
    ['limit[eq]=8', [8]], ['limit[in]=8,9&limit=1', [8]], ['name[startsWith]=Thing 2', [20]], ['name[endsWith]=9', [9, 19]], ['id[notIn]=1,2&id[lt]=4', [3]],
    ['name=50%25', [1]], ['search=THING 1&id[lt]=12', [10, 11]], ['sort=-id&limit=2', [20, 19]], ['sort=price,-id&limit=1', [1]]
  ]
  for (const [query, expected] of found) t.strictSame(await ids(query), expected, query)
})

t.test('72: wildcards in a search are taken literally', async (t) => {
  t.strictSame(await ids('name[contains]=50%25'), [1])
  t.strictSame(await ids('name[contains]=a_b'), [3])
  t.strictSame(await ids('name[startsWith]=%25'), [])
  t.strictSame(await ids('search=50%25'), [1])
  t.strictSame(await ids('search=A_B'), [3])
  t.strictSame(await ids('search=c\\d'), [5])
  t.strictSame(await ids('search=\\'), [5])
})

t.test('67: refuses undeclared parameters, and values that do not fit the column, with their name', async (t) => {
  const refused = [
    'address=1', 'settings=1', 'nope=1', 'name[like]=x', 'name[regex]=x', 'name[]=x', 'name[contains', '__proto__=1', 'constructor=1',
    '__proto__[eq]=1', 'toString=1',
    'id=1&id=2', 'id=one', 'id=', 'id=1.5', 'id=2147483648', 'id=0x10', 'id[in]=1,x', 'id[in]=', 'id[between]=1', 'id[between]=1,2,3', 'rank=40000', 'big=1e3',
    'big=9223372036854775808', 'safe=9007199254740993', 'price=1e5', 'price=NaN', 'ratio=NaN', 'ratio=Infinity', 'ratio=1e999', 'flag=yes', 'flag=1',
    'flag[isNull]=maybe', 'at=yesterday',
    'at=2026-13-01', 'at=2026-01-01T00:00:00', 'at=0000-01-01', 'atText=now', 'day=today', 'clock=noon', 'token=x', 'mood=angry', 'mood=',
    'sort=address', 'sort=-', 'sort=', 'sort=id;select pg_sleep(9)', 'sort=constructor', 'sort=__proto__', 'sort=enableRLS', 'sort=id,id',
    'sort=id,-id', 'sort=id&sort=name', 'sort=ID',
    'limit=0', 'limit=-1', 'limit=51', 'limit=1e1', 'limit=NaN', 'limit=1;drop', 'limit=', 'limit=99999999999999999999', 'page=1', 'after=x',
    'before=x', 'search=', 'search=a&search=b',
    `id[in]=${'1,'.repeat(100)}1`
  ]
  for (const query of refused) t.throws(() => everything.filter(parse(query)), ValidationError, query)
  for (const query of [
    'page=0', 'page=-1', 'page=x', 'page=1.5', 'after=x', 'page=1&page=2'
  ]) t.throws(() => everything.paginate(parse(query)), ValidationError, query)
  for (const query of ['page=1', 'skip=1']) t.throws(() => everything.cursor(parse(query)), ValidationError, query)
  t.throws(() => listQuery(things).filter(parse('search=x')), /"search"/)
  t.throws(() => listQuery(things).filter(parse('sort=id')), { message: 'The parameter "sort" takes sortable columns, each at most once, with "-" in front of one for descending order' })
  t.throws(() => everything.filter(parse('name[like]=x')), { message: 'Unknown parameter "name[like]"', statusCode: 400 })
  t.throws(() => everything.filter(parse('id=one')), { message: 'The parameter "id" takes values of the type of its column' })
})

t.test('67: refuses objects and lists, whatever parser made them', async (t) => {
  const nested = Object.assign(Object.create(null), { contains: 'x' })
  for (const value of [{ contains: 'x' }, nested, ['x'], [], {}, null, 7, true, new Date(), () => 1]) {
    t.throws(() => everything.filter({ name: value }), ValidationError)
    t.throws(() => everything.filter({ 'name[contains]': value }), ValidationError)
    t.throws(() => everything.filter({ sort: value }), ValidationError)
    t.throws(() => everything.filter({ search: value }), ValidationError)
    if (value !== 7) t.throws(() => everything.filter({ 'id[in]': value }), ValidationError)
    if (value !== 7) t.throws(() => everything.filter({ limit: value }), ValidationError)
  }
  for (const query of [undefined, null, 'x', [], 7]) t.throws(() => everything.filter(query), ValidationError)
  await t.rejects(repo.cursor(...everything.cursor({ after: ['x'] })), ValidationError)
})

t.test('accepts values that a validator has converted', async (t) => {
  t.same(everything.filter({ id: 7, ratio: 0.5, flag: true, safe: 5, big: 6, 'id[in]': 7, limit: 3 }),
    [
      { and: [{ big: { eq: 6n } }, { safe: { eq: 5 } }, { ratio: { eq: 0.5 } }, { flag: { eq: true } }, { id: { eq: 7 } }, { id: { in: [7] } }] },
      { orderBy: {}, limit: 3 }
    ])
})

t.test('the SQL depends neither on the order of the parameters nor on their values', async (t) => {
  const from = runner.statements.length
  await ids('id[gt]=3&name[contains]=x&sort=id')
  await ids('sort=id&name[contains]=yy&id[gt]=5')
  const [one, other] = runner.statements.slice(from)
  t.equal(one?.context, other?.context)
})

t.test('columns of custom types are filtered by if they hold texts, which their own function converts', async (t) => {
  const lowered = customType<{ data: string }>({ dataType: () => 'varchar(20)', toDriver: (value) => value.toLowerCase() })
  const money = customType<{ data: { cents: number } }>({ dataType: () => 'numeric' })
  const custom = pgTable('things', { id: integer().primaryKey(), name: lowered(), price: money() })
  const list = listQuery(custom, { filterable: ['name'], sortable: ['name'] })
  t.match(await open(custom).filter(...list.filter(parse('name[in]=A_B,AXB&sort=-name'))), [{ id: 4, name: 'axb' }, { id: 3, name: 'a_b' }])
  t.throws(() => listQuery(custom, { filterable: ['price'] as never }), /Column "price" cannot be filtered/)
  t.throws(() => listQuery(custom, { searchable: ['name'] as never }), /holds no text/)
})

t.test('70: only declared operators can be used, and unsuitable declarations are refused', async (t) => {
  const list = listQuery(things, { filterable: { name: ['eq', 'contains'], id: [] }, pages: 'cursor' })
  t.strictSame(await ids('name=a_b', list), [3])
  for (const query of ['name[ne]=x', 'id=1', 'flag=true']) t.throws(() => list.filter(parse(query)), /Unknown parameter/)
  t.strictSame(Object.keys(list.schema['properties'] as object), ['name', 'name[contains]', 'limit', 'after', 'before'])
  t.strictSame(Object.keys(listQuery(things, { pages: 'numbered' }).schema['properties'] as object), ['limit', 'page'])
  t.throws(() => listQuery(things, { filterable: ['settings'] as never }), /cannot be filtered/)
  t.throws(() => listQuery(things, { filterable: ['address'] as never }), /cannot be filtered/)
  t.throws(() => listQuery(things, { filterable: ['nope'] as never }), /Table "things" has no column "nope"/)
  t.throws(() => listQuery(things, { filterable: { id: ['contains'] } as never }), /no operator "contains"/)
  t.throws(() => listQuery(things, { filterable: { constructor: ['eq'] } as never }), /no column "constructor"/)
  t.throws(() => listQuery(things, { sortable: ['settings'] as never }), /cannot be sorted/)
  t.throws(() => listQuery(things, { searchable: ['id'] as never }), /holds no text/)
})

t.test('refuses unknown options and invalid values as errors of the program', (t) => {
  const wrong: Array<[options: unknown, message: RegExp]> = [
    [
      null,
      /options of listQuery\(\) must be an object of filterable, sortable/
    ], [[], /must be an object/], [{ filtrable: ['id'] }, /"filtrable" of listQuery\(\) is not an option: use filterable/],
    [
      { constructor: 1 },
      /"constructor" of listQuery\(\) is not an option/
    ], [{ filterable: 'id' }, /"filterable"/], [{ filterable: { id: 'eq' } }, /"filterable"/], [{ filterable: [1] }, /"filterable"/],
    [{ sortable: 'id' }, /"sortable"/], [
      { searchable: { name: true } },
      /"searchable"/
    ], [{ maxLimit: 0 }, /"maxLimit"/], [{ maxLimit: '5' }, /"maxLimit"/], [{ defaultLimit: 1.5 }, /"defaultLimit"/],
    [{ defaultLimit: 9, maxLimit: 5 }, /"defaultLimit".*"maxLimit"/], [{ pages: 'both' }, /"pages"/]
  ]
  for (const [options, message] of wrong) {
    t.throws(
      () => listQuery(things, options as never),
      { name: 'UsageError', statusCode: 500, message },
      JSON.stringify(options)
    )
  }
  t.doesNotThrow(() => listQuery(things, { filterable: { id: undefined }, maxLimit: undefined } as never))
  t.end()
})

t.test('a day compared with a time with zone is midnight in UTC, in any time zone of the server', async (t) => {
  await runner.client.query("set timezone to 'Asia/Tokyo'")
  t.strictSame(await ids('atText[lt]=2026-01-01', everything), [])
  t.strictSame(await ids('atText[gte]=2026-01-01&id[lt]=3', everything), [1, 2])
  t.strictSame(await ids('at[gte]=2026-01-01&id[lt]=3', everything), [1, 2])
  t.strictSame(await ids('atText[lt]=2026-01-01 03:00:00%2B00', everything), [1, 2])
  await runner.client.query('reset timezone')
})
