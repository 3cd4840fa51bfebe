import { statementsOf } from '../../folder/directives.js'
import { scanSql } from '../../folder/sql-scanner.js'
import { partsOf, normalizeSql, normalizeType } from './normalize-sql.js'

/** One change that a statement makes to a database, in a form that does not depend on its spelling. */
export interface SqlChange {
  readonly text: string
  /** A description for a person: the action and its object, without values. */
  readonly label: string
  /** Whether the statement does nothing if its object already exists. */
  readonly ifMissing: boolean
}

/** Finds the changes that a text of SQL makes, in order. */
export function findSqlChanges (sql: string): SqlChange[] {
  const changes = statementsOf(sql).flatMap(({ sql: statement }) => statementChanges(statement, false))
  return underFinalNames(changes)
}

/** Replaces the names of tables by those at the end of the file, so that the position of a rename does not matter. */
function underFinalNames (changes: readonly SqlChange[]): SqlChange[] {
  const moves = changes.flatMap(({ text }) => {
    const [, from = '', newSchema, to] = /^(\S+(?: \. \S+)?): (?:set schema (\S+)|rename to (\S+))$/.exec(text) ?? []
    const [name = '', schema] = from.split(' . ').reverse()
    return from === '' ? [] : [{ from, to: withSchema(newSchema ?? schema, to ?? name) }]
  })
  const finalName = (table: string): string => moves.reduce((name, { from, to }) => name === from ? to : name, table)
  const named = changes.map((change) => {
    const [, table, what] = /^(\S+(?: \. \S+)?): (.*)$/.exec(change.text) ?? []
    return table === undefined || /^(?:rename to|set schema) \S+$/.test(what as string) ? change : { ...change, text: `${finalName(table)}: ${what}` }
  })
  return withoutSwitches(named)
}

function withSchema (schema: string | undefined, name: string): string {
  return schema === undefined || schema === 'public' ? name : `${schema} . ${name}`
}

/** Leaves out DISABLE ROW LEVEL SECURITY of tables that are dropped anyway. */
function withoutSwitches (changes: readonly SqlChange[]): SqlChange[] {
  const dropped = new Set(changes.map(({ text }) => /^drop table (.+)$/.exec(text)?.[1]))
  return changes.filter(({ text }) => !dropped.has(/^(.+): disable row level security$/.exec(text)?.[1] ?? ''))
}

const guarded = [
  // drizzle-kit up to 0.24 ignores an object that already exists.
  /^\s*begin\s+([^]+?)\s*exception\s+when\s+duplicate_\w+(?:\s+or\s+duplicate_\w+)*\s+then\s+null\s*;\s*end\s*;?\s*$/i,
  /^\s*begin\s+if\s+not\s+exists\s*\(\s*select\b[^;]*?\bfrom\s+(?:pg_|information_schema)[^;]*?\)\s*then\s+([^]+?)\s*end\s+if\s*;\s*end\s*;?\s*$/i
]

/** The statement that this package writes to drop a primary key of unknown name. */
const namelessKey = /"contype" = 'p' AND "conrelid" = '(.+)'::regclass/

function statementChanges (sql: string, ifMissing: boolean): SqlChange[] {
  const text = normalizeSql(sql)
  const body = /^do (?:language plpgsql )?(\$.*)$/.exec(text) === null ? undefined : /(\$\w*\$)([^]*)\1/.exec(sql)?.[2]
  if (body !== undefined) return blockChanges(text, body)
  const made = { ifMissing: ifMissing || /\bif\s+not\s+exists\b|\bor\s+replace\b/i.test(sql.slice(0, 400)) }
  const [, created, rest] = /^create table (\S+(?: \. \S+)?) \( (.*)$/.exec(text) ?? []
  if (created !== undefined && rest !== undefined) return tableChanges(created, rest).map((change) => ({ ...change, ...made }))
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

/** A change for a table and for each of its parts. So a part counts the same within CREATE TABLE and in a later ALTER TABLE. */
function tableChanges (table: string, rest: string): Array<Omit<SqlChange, 'ifMissing'>> {
  const end = closingOf(rest)
  const options = rest.slice(end + 1).trim()
  return [
    { text: `create table ${table}${options === '' ? '' : ` ${options}`}`, label: `CREATE TABLE ${plain(table)}` },
    ...partsOf(rest.slice(0, end)).map((part) => actionChange(table, `add ${part}`))
  ]
}

/** The index of the parenthesis that closes one opened before the text. */
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

/** Normalizes a column's definition. A primary key is NOT NULL by itself, and the flags may have any order. */
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

/** The new type of a column, without a USING expression that only casts to it. */
function withoutCast (column: string, type: string): string {
  const [, name = type, using] = /^(.*?) using (.*)$/.exec(type) ?? []
  const spelled = normalizeType(name)
  const casts = [`${column} : : ${name}`, `${column} : : text : : ${name}`].flatMap((cast) => [cast, `( ${cast} )`])
  return using === undefined || casts.includes(using) ? spelled : `${spelled} using ${using}`
}

/** Normalizes the order of an index. Ascending is the default. */
function indexSpelling (text: string): string {
  if (!/^create (?:unique )?index /.test(text)) return text
  return text.replace(/ asc(?= )/g, '').replace(/(?<! desc) nulls last(?= )/g, '').replace(/ desc nulls first(?= )/g, ' desc')
}

/** The keywords that a label keeps before the first name. */
const leading = new Set([
  'create', 'drop', 'alter', 'add', 'insert', 'into', 'update', 'delete', 'from', 'comment', 'on', 'grant', 'revoke', 'select', 'set', 'rename', 'to', 'or', 'replace', 'unique', 'materialized',
  'constraint', 'trigger', 'function', 'procedure', 'extension', 'index', 'view', 'type', 'schema', 'sequence', 'policy', 'role', 'domain', 'table', 'primary', 'foreign', 'key', 'check',
  'enable', 'disable', 'row', 'level', 'security'
])

/** The first keywords of a statement and the name after them, without values. */
function labelOf (text: string): string {
  const words = text.split(' ')
  const start = words.findIndex((word) => !leading.has(word))
  if (start <= 0) return (start < 0 ? text : words[0] as string).toUpperCase()
  const [name = ''] = /^[\w"$\u0080-\uffff]+(?: \. [\w"$\u0080-\uffff]+)?/.exec(words.slice(start).join(' ')) ?? []
  return `${words.slice(0, start).join(' ').toUpperCase()} ${plain(name)}`.trim()
}

/** A name for a label. */
function plain (name: string): string {
  return name.replaceAll(' ', '').replace(/[\uE000-\uF8FF]/g, ' ')
}
