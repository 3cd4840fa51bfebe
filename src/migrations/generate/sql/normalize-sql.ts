import { invisible, piecesOf } from '../../folder/sql-scanner.js'

/** Names that keep their quotes. Without quotes, {@link normalizeSql} would read them as keywords that it removes or replaces. */
const keywords = new Set(['if', 'not', 'exists', 'only', 'using', 'btree', 'column', 'constraint', 'primary', 'foreign', 'unique', 'check', 'default', 'generated', 'null', 'asc', 'desc', 'nulls', 'cascade', 'type', 'data', 'on'])

/** Other spellings of types, with drizzle-kit's. */
const types: ReadonlyArray<readonly [RegExp, string]> = [
  [/^(?:int|int4)(?= |$)/, 'integer'],
  [/^int8(?= |$)/, 'bigint'],
  [/^int2(?= |$)/, 'smallint'],
  [/^bool(?= |$)/, 'boolean'],
  [/^decimal(?= |$)/, 'numeric'],
  [/^float8(?= |$)/, 'double precision'],
  [/^float4(?= |$)/, 'real'],
  [/^character varying(?= |$)/, 'varchar'],
  [/^timestamptz((?: \( \d(?: \d)* \))?)(?= |$)/, 'timestamp$1 with time zone'],
  [/^(timestamp|time)((?: \( \d(?: \d)* \))?) without time zone(?= |$)/, '$1$2']
]

/**
 * Normalizes a statement: every word and sign stands between spaces, and differences without meaning to PostgreSQL are removed, such as spaces, comments,
 * capitals, unneeded quotes, the schema `public`, and keywords that state a default.
 */
export function normalizeSql (sql: string): string {
  return wordsOf(sql).join(' ')
    .replace(/(^| )public \. /g, '$1')
    .replace(/^(alter table|alter index|alter view|alter sequence|alter type|drop \w+|drop materialized view) if exists /, '$1 ')
    .replace(/^(create (?:unique index|index|table|schema|sequence|extension|materialized view|unlogged table)(?: concurrently)?) if not exists /, '$1 ')
    .replace(/^(alter type \S+(?: \. \S+)? add value) if not exists /, '$1 ')
    .replace(/^((?:create|create unique|drop) index) concurrently /, '$1 ')
    .replace(/^(alter table) only /, '$1 ')
    .replace(/^(create (?:unique )?index .*?on) only /, '$1 ')
    .replace(/ references only /g, ' references ')
    .replace(/ using btree (?=\()/g, ' ')
    .replace(/ on (?:delete|update) no action(?= |$)/g, '')
}

/** Replaces the spelling of a type by drizzle-kit's. */
export function normalizeType (text: string): string {
  return types.reduce((written, [pattern, name]) => written.replace(pattern, name), text)
}

/** Splits a normalized text at its commas outside parentheses. */
export function partsOf (text: string): string[] {
  const parts: string[][] = [[]]
  let depth = 0
  for (const word of text.split(' ')) {
    if (word === '(' || word === '[') depth++
    if (word === ')' || word === ']') depth--
    if (word === ',' && depth === 0) parts.push([])
    else parts.at(-1)!.push(word)
  }
  return parts.map((words) => words.filter((word) => word !== '').join(' ')).filter((part) => part !== '')
}

function wordsOf (sql: string): string[] {
  return [...piecesOf(sql)].map(({ piece }) => piece).filter((piece) => !invisible.test(piece)).map((piece) => {
    if (piece.startsWith('"')) return nameOf(piece)
    // A string or function body stays one word.
    return /^(?:[eE]?'|\$)/.test(piece) ? oneWord(piece) : piece.toLowerCase()
  })
}

/** A quoted name, without its quotes if they make no difference. */
function nameOf (quoted: string): string {
  const bare = quoted.slice(1, -1)
  return /^[a-z_][a-z0-9_$]*$/.test(bare) && !keywords.has(bare) ? bare : oneWord(quoted)
}

/** Replaces spaces by signs that no SQL has. Texts that differ in their spaces stay different. */
function oneWord (piece: string): string {
  return piece.replace(/\s/g, (space) => String.fromCodePoint(0xE000 + space.charCodeAt(0)))
}
