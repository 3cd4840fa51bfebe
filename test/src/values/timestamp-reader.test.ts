import { inspect } from 'node:util'
import fc from 'fast-check'
import { getTableColumns } from 'drizzle-orm'
import { pgTable, integer, text, timestamp } from 'drizzle-orm/pg-core'
import t from 'tap'
import { readingOf } from '../../../src/drizzle/column-conversion.js'
import { infinity, minusInfinity } from '../../../src/index.js'
import { momentReader } from '../../../src/values/timestamp-reader.js'
import { openRepositories } from '../../helpers/runner.js'
import type { PgColumn } from 'drizzle-orm/pg-core'

// In UTC a reader that confuses UTC and local time would pass unnoticed.
process.env['TZ'] = 'Asia/Kolkata'

const moments = pgTable('moments', { id: integer().primaryKey(), zoned: timestamp({ withTimezone: true }), plain: timestamp() })

const both = (column: PgColumn, raw: string): unknown[] => [momentReader(column)?.(raw), readingOf(column).read?.(raw)]

const millis = ({ zoned, plain }: typeof moments.$inferSelect) => [zoned?.getTime(), plain?.getTime()]

const digits = (length: number) => fc.integer({ min: 0, max: 10 ** length - 1 }).map((number) => String(number).padStart(length, '0'))
const fraction = fc.integer({ min: 0, max: 6 }).chain((length) => length === 0 ? fc.constant('') : digits(length).map((text) => `.${text}`))
const offset = fc.oneof(fc.constant('+00'), fc.integer({ min: -15 * 60, max: 15 * 60 }).map((minutes) => {
  const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((number) => String(number).padStart(2, '0'))
  return `${minutes < 0 ? '-' : '+'}${hours}${rest === '00' ? '' : `:${rest}`}`
}))
const day = fc.date({
  min: new Date('0100-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true
}).map((date) => date.toISOString().slice(0, 19).replace('T', ' '))

t.test('reads every moment as Drizzle does', async (t) => {
  fc.assert(fc.property(day, fraction, offset, (start, fraction, offset) => {
    const [zoned, byDrizzle] = both(moments.zoned, `${start}${fraction}${offset}`)
    t.strictSame(zoned, byDrizzle)
    const [plain, plainByDrizzle] = both(moments.plain, `${start}${fraction}`)
    t.strictSame(plain, plainByDrizzle)
  }), { numRuns: 2000 })
})

t.test('reads every other form of ISO style, which Drizzle misreads', async (t) => {
  const far = new Date('+012345-01-01T00:00:00Z')
  for (const [text, zoned, plain] of [
    ['infinity', infinity, infinity], ['-infinity', minusInfinity, minusInfinity],
    ['0044-03-15 12:00:00+00', '0044-03-15T12:00:00Z', undefined], ['0044-03-15 12:00:00', undefined, '0044-03-15T12:00:00Z'],
    ['0044-03-15 12:00:00+00 BC', '-000043-03-15T12:00:00Z', undefined], ['12345-01-01 00:00:00+00', far, undefined],
    ['1890-01-01 00:00:00+00:19:32', '1889-12-31T23:40:28Z', undefined], ['1890-01-01 00:00:00-00:19:32', '1890-01-01T00:19:32Z', undefined],
    ['2026-11-26 09:05:00.5', undefined, '2026-11-26T09:05:00.500Z'], ['12345-01-01 00:00:00.1234', undefined, '+012345-01-01T00:00:00.123Z']
  ] as const) {
    for (const [column, wanted] of [[moments.zoned, zoned], [moments.plain, plain]] as const) {
      const read = momentReader(column)
      if (wanted === undefined) t.throws(() => read?.(text), { message: /not in ISO style/ }, text)
      else t.equal(read?.(text).getTime(), (wanted instanceof Date ? wanted : new Date(wanted)).getTime(), text)
    }
  }
})

t.test('refuses an ambiguous day and month, and a time that no Date can hold, with the way out', async (t) => {
  for (const text of ['Thu Nov 26 09:05:00 2026 UTC', '11/26/2026 09:05:00 UTC', '26.11.2026 09:05:00 UTC', '2026-11-26T09:05:00+00', '']) {
    for (const column of [moments.zoned, moments.plain]) t.throws(() => momentReader(column)?.(text), { message: /mode: 'string'/ }, text)
  }
  t.throws(() => momentReader(moments.plain)?.('294276-12-31 23:59:59'), { message: /outside the range of a Date.*mode: 'string'/ })
})

t.test('infinity is a Date that is itself in comparisons, in JSON and in words', async (t) => {
  t.ok(infinity > new Date('9999-01-01') && minusInfinity < new Date('-009999-01-01T00:00:00Z') && infinity instanceof Date)
  t.strictSame([infinity, minusInfinity].map((date) => [date.getTime(), date.toISOString(), JSON.stringify(date), `${date}`, inspect(date)]),
    [[Infinity, 'infinity', '"infinity"', 'infinity', 'infinity'], [-Infinity, '-infinity', '"-infinity"', '-infinity', '-infinity']])
})

t.test("replaces only Drizzle's own reader of a column", async (t) => {
  const other = pgTable('other', { id: integer().primaryKey(), name: text(), written: timestamp({ mode: 'string' }), special: timestamp() })
  other.special.mapFromDriverValue = (value) => value
  t.strictSame(Object.values(getTableColumns(other)).map((column) => momentReader(column)), [undefined, undefined, undefined, undefined])
})

t.test('rows are read right in any time zone of the session', async (t) => {
  const { repo, runner } = await openRepositories(t, 'create table moments (id integer primary key, zoned timestamptz, plain timestamp)')
  await runner.client.query(`insert into moments select row_number() over (), moment, moment at time zone 'UTC'
    from generate_series(timestamptz '1850-01-01 00:00:00.123456+00', '2100-01-01', interval '97 days 5 hours 3.0005 seconds') as moment`)
  const { rows } =
    await runner.client.query('select trunc(extract(epoch from zoned) * 1000) as zoned, trunc(extract(epoch from plain) * 1000) as plain from moments order by id')
  const expected = rows.map(({ zoned, plain }) => [Number(zoned), Number(plain)])
  for (const zone of ['UTC', 'America/St_Johns', 'Asia/Kathmandu', 'Europe/Amsterdam']) {
    await runner.client.query(`set timezone to '${zone}'`)
    const read = await repo(moments).getAll({ limit: 1000 })
    // Digits after the millisecond are cut off, before 1970 as after it.
    t.ok(read.every((row, place) => millis(row).every((time, part) => Math.abs(Number(time) - Number(expected[place]?.[part])) <= 1)), zone)
    t.ok(read.length > 900, 'and all of them')
  }
})

t.test('a date style set by hand never reads another day: the error names the column', async (t) => {
  const { repo, runner } = await openRepositories(t, 'create table moments (id integer primary key, zoned timestamptz, plain timestamp)')
  await runner.client.query("insert into moments values (1, '2026-02-01', '2026-02-01'); set datestyle to 'SQL, DMY'")
  await t.rejects(repo(moments).get(1), {
    name: 'DatabaseError', message: /Column "zoned" of a row cannot be read: .*datestyle/, context: { table: 'moments', columns: ['zoned'] }
  })
})
