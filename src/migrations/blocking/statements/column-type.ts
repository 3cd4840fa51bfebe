import type { SqlToken } from './sql-token.js'

/** Other spellings of types, with the one by which they are compared. */
const spellings: ReadonlyArray<readonly [RegExp, string]> = [
  [/^pg_catalog\./, ''],
  [/^character varying/, 'varchar'],
  [/^(?:character|bpchar)/, 'char'],
  [/^char(?!\()/, 'char(1)'],
  [/^bit varying/, 'varbit'],
  [/^decimal/, 'numeric'],
  [/^numeric\((\d+)\)/, 'numeric($1,0)'],
  [/^(?:int|int4)(?=\W|$)/, 'integer'],
  [/^int8(?=\W|$)/, 'bigint'],
  [/^int2(?=\W|$)/, 'smallint'],
  [/^bool(?=\W|$)/, 'boolean'],
  [/^float8(?=\W|$)/, 'double precision'],
  [/^float4(?=\W|$)/, 'real'],
  [/^(timestamp|time)(\(\d+\))? without time zone/, '$1$2'],
  [/^(timestamp|time)(\(\d+\))? with time zone/, '$1tz$2'],
  [/ array(?:\[\d*\])?$/, '[]']
]

/** The tokens of a type as one text, in the spelling by which types are compared: `varchar(20)`, `timestamptz`. */
export function typeText (tokens: readonly SqlToken[]): string {
  const text = tokens.reduce((written, { kind, text }) => {
    if (kind === 'sign' || kind === 'number') return written + text
    return `${written}${/(?:^|\.)$/.test(written) ? '' : ' '}${text.toLowerCase()}`
  }, '')
  return spellings.reduce((written, [pattern, spelling]) => written.replace(pattern, spelling), text)
}
