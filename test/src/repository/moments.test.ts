import fc from 'fast-check'
import { getTableColumns, sql } from 'drizzle-orm'
import { pgTable, integer, text, timestamp } from 'drizzle-orm/pg-core'
import t from 'tap'
import { momentReader } from '../../../src/repository/moments.js'
import { openRepositories } from '../../helpers/runner.js'
import type { PgColumn } from 'drizzle-orm/pg-core'

// Where UTC and local time are one, a reader that takes one for the other may pass unseen.
process.env['TZ'] = 'Asia/Kolkata'

const moments = pgTable('moments', { id: integer().primaryKey(), zoned: timestamp({ withTimezone: true }), plain: timestamp() })

const both = (column: PgColumn, raw: unknown): unknown[] => [momentReader(column)?.(raw), column.mapFromDriverValue(raw)]

/** Drizzle cannot read the dates of every style, and tap cannot print an invalid one. */
const millis = ({ zoned, plain }: typeof moments.$inferSelect): unknown => [zoned?.getTime(), plain?.getTime()]

const digits = (length: number) => fc.integer({ min: 0, max: 10 ** length - 1 }).map((number) => String(number).padStart(length, '0'))
const fraction = fc.integer({ min: 0, max: 6 }).chain((length) => length === 0 ? fc.constant('') : digits(length).map((text) => `.${text}`))
const offset = fc.oneof(fc.constant('+00'), fc.integer({ min: -15 * 60, max: 15 * 60 }).map((minutes) => {
  const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((number) => String(number).padStart(2, '0'))
  return `${minutes < 0 ? '-' : '+'}${hours}${rest === '00' ? '' : `:${rest}`}`
}))
const day = fc.date({ min: new Date('0100-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }).map((date) => date.toISOString().slice(0, 19).replace('T', ' '))

t.test('reads every moment as Drizzle does', async (t) => {
  fc.assert(fc.property(day, fraction, offset, (start, fraction, offset) => {
    const [zoned, byDrizzle] = both(moments.zoned, `${start}${fraction}${offset}`)
    t.strictSame(zoned, byDrizzle)
    const [plain, plainByDrizzle] = both(moments.plain, `${start}${fraction}`)
    t.strictSame(plain, plainByDrizzle)
  }), { numRuns: 2000 })
})

t.test('leaves to Drizzle what is written in another way, and what is no text', async (t) => {
  const texts = ['infinity', '-infinity', '0044-03-15 12:00:00+00', '0044-03-15 12:00:00+00 BC', '12345-01-01 00:00:00+00', '1890-01-01 00:00:00+00:19:32', '2026-11-26 09:05:00.5',
    '2026-11-26 09:05:00+00 BC', '2026-11-26 09:05:00 BC', 'Thu Nov 26 09:05:00 2026 UTC', '11/26/2026 09:05:00 UTC', '26.11.2026 09:05:00 UTC', '2026-11-26T09:05:00+00', '2026-11-26', '']
  for (const text of texts) {
    for (const column of [moments.zoned, moments.plain]) {
      const [read, byDrizzle] = both(column, text).map((date) => (date as Date).getTime())
      t.same(read, byDrizzle, text)
    }
  }
  const date = new Date()
  t.equal(momentReader(moments.zoned)?.(date), date)
})

t.test('reads for itself only columns that Drizzle reads in its own way', async (t) => {
  const other = pgTable('other', { id: integer().primaryKey(), name: text(), written: timestamp({ mode: 'string' }), special: timestamp() })
  other.special.mapFromDriverValue = (value) => value
  t.strictSame(Object.values(getTableColumns(other)).map((column) => momentReader(column)), [undefined, undefined, undefined, undefined])
})

t.test('whatever time zone and style the session has, rows are read as Drizzle reads them', async (t) => {
  const { repo, drizzle, runner } = await openRepositories(t, 'create table moments (id integer primary key, zoned timestamptz, plain timestamp)')
  await runner.client.query(`insert into moments select row_number() over (), moment, moment at time zone 'UTC'
    from generate_series(timestamptz '1850-01-01 00:00:00.123456+00', '2100-01-01', interval '97 days 5 hours 3.0005 seconds') as moment`)
  for (const zone of ['UTC', 'America/St_Johns', 'Asia/Kathmandu', 'Europe/Amsterdam']) {
    for (const style of ['ISO, DMY', 'SQL, MDY', 'Postgres, MDY']) {
      await runner.client.query(`set timezone to '${zone}'; set datestyle to '${style}'`)
      const read = await repo(moments).getAll({ limit: 1000 })
      t.strictSame(read.map(millis), (await drizzle.select().from(moments).orderBy(sql`id`)).map(millis), `${zone}, ${style}`)
      t.ok(read.length > 900, 'and all of them')
    }
  }
})
