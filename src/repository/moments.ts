import { PgTimestamp } from 'drizzle-orm/pg-core'
import type { PgColumn } from 'drizzle-orm/pg-core'

/** How a timestamp's text becomes the Date that Drizzle makes of it, in a third of the time; undefined for a column that is not read in Drizzle's own way. */
export function momentReader (column: PgColumn): ((raw: unknown) => unknown) | undefined {
  if (!(column instanceof PgTimestamp) || column.mapFromDriverValue !== PgTimestamp.prototype.mapFromDriverValue) return undefined
  const { withTimezone } = column
  return (raw) => (typeof raw === 'string' && momentOf(raw, withTimezone)) || column.mapFromDriverValue(raw as string) // as Drizzle's own mapper calls it
}

const point = 46
const digit0 = 48
const digit9 = 57

/**
 * Reads `2026-11-26 09:05:00.123456+05:30`, PostgreSQL's usual form; digits behind the milliseconds are cut off, as JavaScript
 * cuts them. Undefined for any other: years before 100 and after 9999, `infinity`, offsets with seconds, styles that are not ISO.
 * https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-DATETIME-OUTPUT
 */
function momentOf (text: string, withTimezone: boolean): Date | undefined {
  if (!isUsual(text)) return undefined
  let end = 19
  let millis = 0
  if (text.charCodeAt(end) === point) {
    end++
    for (let unit = 100; isDigit(text, end); end++, unit = Math.trunc(unit / 10)) millis += unit * (text.charCodeAt(end) - digit0)
  }
  const offset = withTimezone ? offsetOf(text, end) : 0
  if (offset === undefined || (!withTimezone && text.length > end)) return undefined
  const minutes = (daysOf(text) * 24 + twoDigits(text, 11)) * 60 + twoDigits(text, 14) - offset
  return new Date((minutes * 60 + twoDigits(text, 17)) * 1000 + millis)
}

/** Only this form has these signs in these places. */
function isUsual (text: string): boolean {
  return text.length >= 19 && text[4] === '-' && text[7] === '-' && text[10] === ' ' && text[13] === ':' && text[16] === ':' && twoDigits(text, 0) > 0
}

/** Minutes east of Greenwich. */
function offsetOf (text: string, start: number): number | undefined {
  if (text[start] !== '+' && text[start] !== '-') return undefined
  const sign = text[start] === '+' ? 1 : -1
  if (text.length === start + 3) return sign * twoDigits(text, start + 1) * 60
  if (text.length === start + 6 && text[start + 3] === ':') return sign * (twoDigits(text, start + 1) * 60 + twoDigits(text, start + 4))
  return undefined
}

/** Days since 1970, in years that begin in March, so that the odd day comes last: `days_from_civil` of https://howardhinnant.github.io/date_algorithms.html */
function daysOf (text: string): number {
  const month = twoDigits(text, 5)
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2) - (month <= 2 ? 1 : 0)
  const dayOfYear = Math.trunc((153 * ((month + 9) % 12) + 2) / 5) + twoDigits(text, 8) - 1
  return year * 365 + Math.trunc(year / 4) - Math.trunc(year / 100) + Math.trunc(year / 400) + dayOfYear - 719_468
}

function twoDigits (text: string, place: number): number {
  return (text.charCodeAt(place) - digit0) * 10 + text.charCodeAt(place + 1) - digit0
}

function isDigit (text: string, place: number): boolean {
  const code = text.charCodeAt(place)
  return code >= digit0 && code <= digit9
}
