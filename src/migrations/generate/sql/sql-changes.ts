import { breakpoint } from '../../folder/directives.js'
import { scanSql } from '../../folder/sql-scanner.js'
import { partsOf, normalizeSql, normalizeType } from './normalize-sql.js'

/** One change to a database that a statement makes, in a form that is the same however the statement was written. */
export interface SqlChange {
  readonly text: string
  /** In words for a person: what is done, and to what; without values. */
  readonly label: string
  /** Whether the statement does nothing where what it makes is there already. */
  readonly ifMissing: boolean
}

/** What a text of SQL changes, in its order. */
export function findSqlChanges (sql: string): SqlChange[] {
  const facts = sql.split(breakpoint).flatMap((part) => scanSql(part).statements).flatMap(({ sql: statement }) => statementChanges(statement, false))
  return underFinalNames(facts)
}

/** By which name a table is called depends on where its new one is given. */
function underFinalNames (facts: readonly SqlChange[]): SqlChange[] {
  const moves = facts.flatMap(({ text }) => {
    const [, from = '', newSchema, to] = /^(\S+(?: \. \S+)?): (?:set schema (\S+)|rename to (\S+))$/.exec(text) ?? []
    const [name = '', schema] = from.split(' . ').reverse()
    return from === '' ? [] : [{ from, to: withSchema(newSchema ?? schema, to ?? name) }]
  })
  const finalName = (table: string): string => moves.reduce((name, { from, to }) => name === from ? to : name, table)
  const named = facts.map((fact) => {
    const [, table, what] = /^(\S+(?: \. \S+)?): (.*)$/.exec(fact.text) ?? []
    return table === undefined || /^(?:rename to|set schema) \S+$/.test(what as string) ? fact : { ...fact, text: `${finalName(table)}: ${what}` }
  })
  return withoutSwitches(named)
}

function withSchema (schema: string | undefined, name: string): string {
  return schema === undefined || schema === 'public' ? name : `${schema} . ${name}`
}

/** What is switched off on a table that goes anyway makes no difference. */
function withoutSwitches (facts: readonly SqlChange[]): SqlChange[] {
  const dropped = new Set(facts.map(({ text }) => /^drop table (.+)$/.exec(text)?.[1]))
  return facts.filter(({ text }) => !dropped.has(/^(.+): disable row level security$/.exec(text)?.[1] ?? ''))
}

const guarded = [
  // drizzle-kit up to 0.24: what is there already is no error.
  /^\s*begin\s+([^]+?)\s*exception\s+when\s+duplicate_\w+(?:\s+or\s+duplicate_\w+)*\s+then\s+null\s*;\s*end\s*;?\s*$/i,
  /^\s*begin\s+if\s+not\s+exists\s*\(\s*select\b[^;]*?\bfrom\s+(?:pg_|information_schema)[^;]*?\)\s*then\s+([^]+?)\s*end\s+if\s*;\s*end\s*;?\s*$/i
]

/** What stands in place of a primary key's name, which is not known: drizzle-kit's comment is no statement, ours is this one. */
const namelessKey = /"contype" = 'p' AND "conrelid" = '(.+)'::regclass/

function statementChanges (sql: string, ifMissing: boolean): SqlChange[] {
  const text = normalizeSql(sql)
  const body = /^do (?:language plpgsql )?(\$.*)$/.exec(text) === null ? undefined : /(\$\w*\$)([^]*)\1/.exec(sql)?.[2]
  if (body !== undefined) return blockChanges(text, body)
  const made = { ifMissing: ifMissing || /\bif\s+not\s+exists\b|\bor\s+replace\b/i.test(sql.slice(0, 400)) }
  const [, created, rest] = /^create table (\S+(?: \. \S+)?) \( (.*)$/.exec(text) ?? []
  if (created !== undefined && rest !== undefined) return tableChanges(created, rest).map((fact) => ({ ...fact, ...made }))
  const [, altered, actions] = /^alter table (\S+(?: \. \S+)?) (.*)$/.exec(text) ?? []
  if (altered !== undefined && actions !== undefined) return partsOf(actions).map((action) => ({ ...actionChange(altered, action), ...made }))
  const [, dropped] = /^drop table (.*?)(?: cascade| restrict)?$/.exec(text) ?? []
  if (dropped !== undefined) return partsOf(dropped).map((name) => ({ text: `drop table ${name}`, label: `DROP TABLE ${plain(name)}`, ...made }))
  return [{ text: indexSpelling(text), label: labelOf(text), ...made }]
}

function blockChanges (text: string, body: string): SqlChange[] {
  const [, table] = namelessKey.exec(body) ?? []
  if (table !== undefined) return [{ ...keyDrop(normalizeSql(table)), ifMissing: false }]
  const inner = guarded.map((pattern) => pattern.exec(body)?.[1]).find((found) => found !== undefined)
  return inner === undefined
    ? [{ text, label: 'DO', ifMissing: false }]
    : scanSql(inner).statements.flatMap(({ sql }) => statementChanges(sql, true))
}

/** A table and each part of it, so that it makes no difference whether a part comes with the table or behind it. */
function tableChanges (table: string, rest: string): Array<Omit<SqlChange, 'ifMissing'>> {
  const end = closingOf(rest)
  const options = rest.slice(end + 1).trim()
  return [
    { text: `create table ${table}${options === '' ? '' : ` ${options}`}`, label: `CREATE TABLE ${plain(table)}` },
    ...partsOf(rest.slice(0, end)).map((part) => actionChange(table, `add ${part}`))
  ]
}

/** Where the parenthesis closes that has been opened before a text. */
function closingOf (text: string): number {
  let depth = 1
  for (const { 0: word, index } of text.matchAll(/\S+/g)) {
    if (word === '(') depth++
    if (word === ')' && --depth === 0) return index
  }
  return text.length
}

function actionChange (table: string, action: string): Omit<SqlChange, 'ifMissing'> {
  const what = action.replace(/^(add|drop|alter|rename) column /, '$1 ').replace(/^(add|drop) if (?:not )?exists /, '$1 ').replace(/^drop constraint if exists /, 'drop constraint ').replace(/^(alter \S+) set data type /, '$1 type ')
  const [, added, definition = ''] = /^add (?!constraint |primary key|foreign key|unique[ (]|check[ (]|exclude )(\S+) (.*)$/.exec(what) ?? []
  if (added !== undefined) return { text: `${table}: add ${added} ${columnSpelling(definition)}`, label: `ADD COLUMN ${plain(table)}.${plain(added)}` }
  const [, typed, type = ''] = /^alter (\S+) type (.*)$/.exec(what) ?? []
  if (typed !== undefined) return { text: `${table}: alter ${typed} type ${withoutCast(typed, type)}`, label: `ALTER COLUMN ${plain(table)}.${plain(typed)} SET DATA TYPE` }
  if (what === `drop constraint ${table.split(' ').at(-1)}_pkey`) return keyDrop(table)
  return { text: `${table}: ${what}`, label: `ALTER TABLE ${plain(table)} ${labelOf(what)}` }
}

function keyDrop (table: string): Omit<SqlChange, 'ifMissing'> {
  return { text: `${table}: drop primary key`, label: `ALTER TABLE ${plain(table)} DROP CONSTRAINT of its primary key` }
}

/** A column's definition: a primary key is not null by itself, and its flags may stand in any order. */
function columnSpelling (definition: string): string {
  let depth = 0
  const flags = new Set<string>()
  const words = definition.split(' ')
  const kept = words.filter((word, index) => {
    if (word === '(') depth++
    if (word === ')') depth--
    const pair = [word, words[index + 1]].join(' ')
    const former = [words[index - 1], word].join(' ')
    if (depth > 0 || words[index - 1] === 'default') return true
    if (pair === 'not null' || pair === 'primary key') flags.add(pair)
    return !flags.has(pair) && !flags.has(former)
  })
  if (flags.has('primary key')) flags.delete('not null')
  return [normalizeType(kept.join(' ')), ...[...flags].sort()].join(' ')
}

/** Without a cast that only says which type it is. */
function withoutCast (column: string, type: string): string {
  const [, name = type, using] = /^(.*?) using (.*)$/.exec(type) ?? []
  const spelled = normalizeType(name)
  const casts = [`${column} : : ${name}`, `${column} : : text : : ${name}`].flatMap((cast) => [cast, `( ${cast} )`])
  return using === undefined || casts.includes(using) ? spelled : `${spelled} using ${using}`
}

/** An index in ascending order, which is the order of those that name none. */
function indexSpelling (text: string): string {
  if (!/^create (?:unique )?index /.test(text)) return text
  return text.replace(/ asc(?= )/g, '').replace(/(?<! desc) nulls last(?= )/g, '').replace(/ desc nulls first(?= )/g, ' desc')
}

/** What a label takes along before the first name. */
const leading = new Set([
  'create', 'drop', 'alter', 'add', 'insert', 'into', 'update', 'delete', 'from', 'comment', 'on', 'grant', 'revoke', 'select', 'set', 'rename', 'to', 'or', 'replace', 'unique', 'materialized',
  'constraint', 'trigger', 'function', 'procedure', 'extension', 'index', 'view', 'type', 'schema', 'sequence', 'policy', 'role', 'domain', 'table', 'primary', 'foreign', 'key', 'check',
  'enable', 'disable', 'row', 'level', 'security'
])

/** The keywords that a statement begins with, and the first name behind them; no values. */
function labelOf (text: string): string {
  const words = text.split(' ')
  const start = words.findIndex((word) => !leading.has(word))
  if (start <= 0) return (start < 0 ? text : words[0] as string).toUpperCase()
  const [name = ''] = /^[\w"$\u0080-\uffff]+(?: \. [\w"$\u0080-\uffff]+)?/.exec(words.slice(start).join(' ')) ?? []
  return `${words.slice(0, start).join(' ').toUpperCase()} ${plain(name)}`.trim()
}

/** A name as a person writes it. */
function plain (name: string): string {
  return name.replaceAll(' ', '').replace(/[\uE000-\uF8FF]/g, ' ')
}
