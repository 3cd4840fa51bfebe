import type { PgColumn } from 'drizzle-orm/pg-core'
import { infinity, minusInfinity } from '../../values/infinity.js'
import { textType } from './query-type.js'
import type { QueryType } from './query-type.js'

const day = '\\d{4}-\\d\\d-\\d\\d'
const hours = '(?:[01]\\d|2[0-3])'
const time = `(?:${hours}:[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?|24:00:00)`
/** PostgreSQL accepts offsets of up to sixteen hours. */
const offset = '[-+](?:0\\d|1[0-5])'
const endless = '-?infinity'

/** Days and times of the years 1 to 9999. */
function momentType (form: string, read: (text: string) => unknown = (text) => text): QueryType {
  const pattern = new RegExp(`^(?:${form}|${endless})$`)
  return {
    schema: { type: 'string', pattern: pattern.source },
    read: (given) => typeof given === 'string' && pattern.test(given) && isOnCalendar(given) ? read(given) : undefined
  }
}

/** JavaScript reads 30 February as 2 March; PostgreSQL refuses it. */
function isOnCalendar (text: string): boolean {
  if (text.endsWith('infinity')) return true
  const date = text.slice(0, 10)
  const midnight = new Date(`${date}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.getUTCFullYear() > 0 && midnight.toISOString().startsWith(date)
}

function dateOf (text: string): Date {
  if (text === 'infinity') return infinity
  return text === '-infinity' ? minusInfinity : new Date(text)
}

/** A day, or a time with its offset. Without an offset, the time would depend on the time zone of the server. */
export const dates = momentType(`${day}(?:T${time}(?:Z|${offset}:[0-5]\\d))?`, dateOf)

/** Days as PostgreSQL writes them. */
export const days = momentType(day)

/** As `dates`, or as PostgreSQL writes them. A day means its midnight in UTC. */
const zonedTexts = momentType(`${day}(?:[T ]${time}(?:Z|${offset}(?::[0-5]\\d)?))?`, (text) => text.length === '2026-01-01'.length ? `${text}T00:00:00Z` : text)

/** Without an offset: PostgreSQL would ignore it. */
const localTexts = momentType(`${day}(?:[T ]${time}Z?)?`)

/** The texts of a timestamp column in a query string. */
export function timestampTexts (column: PgColumn): QueryType {
  return hasZone(column) ? zonedTexts : localTexts
}

const clock = `(?:${hours}:[0-5]\\d(?::[0-5]\\d(?:\\.\\d{1,6})?)?|24:00(?::00)?)`
const zonedClocks = textType(`${clock}(?:Z|${offset}(?::[0-5]\\d)?)?`)
const localClocks = textType(clock)

/** The texts of a time column without a day in a query string. */
export function clocks (column: PgColumn): QueryType {
  return hasZone(column) ? zonedClocks : localClocks
}

function hasZone (column: PgColumn): boolean {
  return 'withTimezone' in column && column.withTimezone === true
}
