/** Writes values as JSON by their JSON schemas, as fast-json-stringify does for Fastify, whose replies these texts take the place of. */

/** How a value is written, by the type of its schema. */
export interface JsonForm {
  /** `date` and `time`: a text of that format; `document`: an object with any properties; `any`: as JSON.stringify writes it. */
  readonly type: JsonType
  /** Whether null is `null`; else it is what fast-json-stringify makes of it: the empty value of the type. */
  readonly isNullable: boolean
  /** The elements of an array. */
  readonly items?: JsonForm
}

export type JsonType = 'any' | 'string' | 'date' | 'time' | 'integer' | 'number' | 'boolean' | 'array' | 'document'

/** The form of a value that has no schema. */
export const anyForm: JsonForm = { type: 'any', isNullable: true }

/** Characters that JSON escapes, and surrogates, of which it escapes lone ones. */
// eslint-disable-next-line no-control-regex
const escaped = /["\\\u0000-\u001f\ud800-\udfff]/

/** A text as JSON. It is quicker than JSON.stringify, which it asks only for characters to escape. */
export function quoted (text: string): string {
  return escaped.test(text) ? JSON.stringify(text) : `"${text}"`
}

/** The JSON of NULL. */
export function nullText ({ type, isNullable }: JsonForm): string {
  return isNullable ? 'null' : nullTexts[type]
}

const nullTexts: Readonly<Record<JsonType, string>> = {
  any: 'null', string: '""', date: '""', time: '""', integer: '0', number: '0', boolean: 'false', array: '[]', document: '{}'
}

/** Writes values of a form. Where fast-json-stringify would throw for one, the value is written as it is, and NaN as `null`. */
export function valueWriter (form: JsonForm): (value: unknown) => string {
  const write = form.type === 'array' ? arrayWriter(form.items ?? anyForm) : writers[form.type]
  const none = nullText(form)
  return (value) => value === null || value === undefined ? none : write(value)
}

const writers: Readonly<Record<Exclude<JsonType, 'array'>, (value: unknown) => string>> = {
  any: JSON.stringify,
  document: JSON.stringify,
  string: (value) => value instanceof Date ? quoted(value.toISOString()) : quoted(String(value)),
  date: (value) => value instanceof Date ? `"${localDate(value)}"` : quoted(String(value)),
  time: (value) => value instanceof Date ? `"${localTime(value)}"` : quoted(String(value)),
  integer: (value) => typeof value === 'bigint' ? String(value) : numberText(Math.trunc(value as number)),
  number: (value) => numberText(Number(value)),
  boolean: (value) => value ? 'true' : 'false'
}

function numberText (value: number): string {
  return Number.isFinite(value) ? `${value}` : 'null'
}

/** The date in the local time zone. The serializer cuts off that of a year of six digits; an infinite one is written whole. */
function localDate (date: Date): string {
  const year = date.getFullYear()
  if (year >= 0 && year <= 9999) return `${String(year).padStart(4, '0')}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return Number.isNaN(local.getTime()) ? date.toJSON() : local.toISOString().slice(0, 10)
}

function localTime (date: Date): string {
  return Number.isNaN(date.getHours()) ? date.toJSON() : [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':')
}

function twoDigits (number: number): string {
  return String(number).padStart(2, '0')
}

function arrayWriter (items: JsonForm): (value: unknown) => string {
  const write = valueWriter(items)
  return (value) => Array.isArray(value) ? `[${value.map(write).join()}]` : JSON.stringify(value)
}
