/** Types that PostgreSQL converts into each other when a column's type changes. It converts every type into text. */
const families = [
  /^(smallint|integer|bigint|numeric|real|double precision)\b/,
  /^(text|varchar|char)\b/,
  /^(timestamp|date)\b/,
  /^jsonb?$/
]

const numbers = families[0]!
const times = /^time\b(?!stamp)/
const integers = /^(smallint|integer|bigint)$/

/** The `USING` expression for a column that gets another type; `undefined` if PostgreSQL needs none. */
export function usingExpression (from: string, to: string, column: string): string | undefined {
  const [a, b] = [dimensions(from), dimensions(to)]
  if (a === b) return a > 0 ? `${column}::text::${to}` : scalarConversion(from, to, column)
  if (b === 0) return `(CASE WHEN cardinality(${column}) > 1 THEN ${column}::text ELSE ${column}[1]::text END)${families[1]!.test(to) ? '' : `::${to}`}`
  // A single value becomes an array with one element, and such an array becomes a single value again.
  const element = to.replace(/\[.*/, '')
  if (a === 0) return `CASE WHEN ${column} IS NOT NULL THEN ARRAY[${scalarConversion(from, element, column) ?? column}]::${to} END`
  return `${column}::text::${to}`
}

function scalarConversion (from: string, to: string, column: string): string | undefined {
  if (families[1]!.test(to) || families.some((family) => family.test(from) && family.test(to))) return undefined
  // By way of text, a value converts into any type that can read its text.
  return knownConversion(from, to, column) ?? `${column}::text::${to}`
}

function knownConversion (from: string, to: string, column: string): string | undefined {
  if (times.test(from) && /^(timestamp|date)\b/.test(to)) return `(DATE '1970-01-01' + ${column})::${to}`
  if (/^(timestamp|date)\b/.test(from) && times.test(to)) return `${column}::${from === 'date' ? 'timestamp::' : ''}${to}`
  if (times.test(from) && times.test(to)) return `${column}::${to}`
  if (from === 'boolean' && numbers.test(to)) return `${column}::integer${to === 'integer' ? '' : `::${to}`}`
  if (numbers.test(from) && to === 'boolean') return `${column}${from === 'integer' ? '' : '::integer'}::${to}`
  if (from === 'jsonb' && (to === 'boolean' || numbers.test(to))) return `${column}::${to}`
  // A number becomes the last digits of a uuid: keys stay distinct, and the way back reads the numbers again.
  if (integers.test(from) && to === 'uuid') return `lpad(to_hex(${column}${from === 'smallint' ? '::integer' : ''}), 32, '0')::uuid`
  if (from === 'uuid' && integers.test(to)) return integerOfUuid(to, column)
  return undefined
}

/** Only a uuid that was made from a number converts back: PostgreSQL refuses the text of any other. */
function integerOfUuid (to: string, column: string): string {
  const [start, digits] = to === 'bigint' ? ['00000000-0000-0000-%', 16] : ['00000000-0000-0000-0000-0000%', 8]
  const number = `('x' || right(replace(${column}::text, '-', ''), ${digits}))::bit(${digits * 4})::${to === 'bigint' ? to : 'integer'}`
  return `(CASE WHEN ${column}::text LIKE '${start}' THEN ${number} ELSE ${column}::text::${to === 'bigint' ? to : 'integer'} END)::${to}`
}

/** The number of an array's dimensions; 0 for a single value. */
function dimensions (type: string): number {
  return type.split('[').length - 1
}
