/** How values of one type become values of another. */

/** Types whose values PostgreSQL turns into each other by itself, where a column changes its type; into text it turns any. */
const families = [
  /^(smallint|integer|bigint|numeric|real|double precision)\b/,
  /^(text|varchar|char)\b/,
  /^(timestamp|date)\b/,
  /^jsonb?$/
]

const numbers = families[0]!
const times = /^time\b(?!stamp)/
const wholes = /^(smallint|integer|bigint)$/

/** The expression of `USING` for a column that gets another type; `undefined` where PostgreSQL needs none. */
export function usingExpression (from: string, to: string, column: string): string | undefined {
  const [a, b] = [dimensions(from), dimensions(to)]
  if (a === b) return a > 0 ? `${column}::text::${to}` : scalarConversion(from, to, column)
  if (b === 0) return `(CASE WHEN cardinality(${column}) > 1 THEN ${column}::text ELSE ${column}[1]::text END)${families[1]!.test(to) ? '' : `::${to}`}`
  // A single value is an array of one; the other way round, an array of one is a single value.
  const element = to.replace(/\[.*/, '')
  if (a === 0) return `CASE WHEN ${column} IS NOT NULL THEN ARRAY[${scalarConversion(from, element, column) ?? column}]::${to} END`
  return `${column}::text::${to}`
}

function scalarConversion (from: string, to: string, column: string): string | undefined {
  if (families[1]!.test(to) || families.some((family) => family.test(from) && family.test(to))) return undefined
  const known = knownConversion(from, to, column)
  // Over text any value goes into any type in which its text has a meaning.
  return known ?? `${column}::text::${to}`
}

function knownConversion (from: string, to: string, column: string): string | undefined {
  if (times.test(from) && /^(timestamp|date)\b/.test(to)) return `(DATE '1970-01-01' + ${column})::${to}`
  if (/^(timestamp|date)\b/.test(from) && times.test(to)) return `${column}::${from === 'date' ? 'timestamp::' : ''}${to}`
  if (times.test(from) && times.test(to)) return `${column}::${to}`
  if (from === 'boolean' && numbers.test(to)) return `${column}::integer${to === 'integer' ? '' : `::${to}`}`
  if (numbers.test(from) && to === 'boolean') return `${column}${from === 'integer' ? '' : '::integer'}::${to}`
  if (from === 'jsonb' && (to === 'boolean' || numbers.test(to))) return `${column}::${to}`
  // A number becomes the last digits of a uuid: keys stay distinct, and the way back reads the numbers again.
  if (wholes.test(from) && to === 'uuid') return `lpad(to_hex(${column}${from === 'smallint' ? '::integer' : ''}), 32, '0')::uuid`
  if (from === 'uuid' && wholes.test(to)) return wholeOfUuid(to, column)
  return undefined
}

/** Only a uuid that was made of a number becomes one again: PostgreSQL refuses the text of any other. */
function wholeOfUuid (to: string, column: string): string {
  const [start, digits] = to === 'bigint' ? ['00000000-0000-0000-%', 16] : ['00000000-0000-0000-0000-0000%', 8]
  const number = `('x' || right(replace(${column}::text, '-', ''), ${digits}))::bit(${digits * 4})::${to === 'bigint' ? to : 'integer'}`
  return `(CASE WHEN ${column}::text LIKE '${start}' THEN ${number} ELSE ${column}::text::${to === 'bigint' ? to : 'integer'} END)::${to}`
}

/** How many dimensions an array has; none for a single value. */
function dimensions (type: string): number {
  return type.split('[').length - 1
}
