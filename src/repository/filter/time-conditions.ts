/**
 * Conditions on a column that keeps microseconds and is read as a Date, which does not. A Date stands for its millisecond: a row is
 * found by the Date that was read from it, and exactly one of `eq`, `lt` and `gt` holds. A range keeps the use of an index.
 */
import { isSql } from '../../values/column-codec.js'
import { lastMicrosecond } from '../../values/timestamp-reader.js'
import { allOf, negate } from './condition.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { Condition, Test } from './condition.js'

/** A Date, and its text for PostgreSQL. */
export type Moment = readonly [date: Date, text: string]

/** The comparison of any column with an encoded value, or with SQL, which has microseconds of its own. */
export function compare (codec: ColumnCodec, test: Test, value: unknown): Condition {
  return codec.coarse && !isSql(value) ? compareTime(codec, test, String(value)) : { kind: 'test', codec, test, operands: [value] }
}

/** The comparison with the text of a Date. */
function compareTime (codec: ColumnCodec, name: Test, text: string): Condition {
  if (name === 'eq') return within(codec, text, text)
  if (name === 'ne') return negate(within(codec, text, text))
  return { kind: 'test', codec, test: name, operands: [name === 'gt' || name === 'lte' ? lastMicrosecond(text) : text] }
}

/** From the beginning of one Date to the end of another. */
export function within (codec: ColumnCodec, from: string, to: string): Condition {
  return { kind: 'test', codec, test: 'between', operands: [from, lastMicrosecond(to)] }
}

/** One of the Dates, or none of them. An index finds the range that contains them all. */
export function amongTimes (codec: ColumnCodec, name: 'in' | 'notIn', moments: readonly [Moment, ...Moment[]]): Condition {
  const operands = [moments.map(([, text]) => text)]
  if (name === 'notIn') return { kind: 'test', codec, test: 'notInMillis', operands }
  const first = moments.reduce((least, moment) => moment[0] < least[0] ? moment : least)
  const last = moments.reduce((most, moment) => moment[0] > most[0] ? moment : most)
  return allOf([within(codec, first[1], last[1]), { kind: 'test', codec, test: 'inMillis', operands }])
}
