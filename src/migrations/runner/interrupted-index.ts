import { escapeIdentifier } from 'pg'
import type { Client } from 'pg'
import type { SqlStatement } from '../folder/sql-scanner.js'

const name = '(?:"(?:[^"]|"")*"|[^\\s"]+)'
const qualified = `(${name}(?: \\. ${name})?)`
const creates = new RegExp(`^CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:IF NOT EXISTS )?(${name}) ON (?:ONLY )?${qualified}`)
const drops = new RegExp(`^DROP INDEX CONCURRENTLY (?:IF EXISTS )?${qualified}`)

/** Whether a statement took effect although its runner was killed before recording it. False if unknown. */
export async function tookEffect (client: Client, { words }: SqlStatement): Promise<boolean> {
  const text = words.join(' ')
  if (creates.test(text)) return (await findIndex(client, text))?.valid === true
  const [, dropped] = drops.exec(text) ?? []
  if (dropped === undefined) return false
  const { rows: [row] } = await client.query('select to_regclass($1) is null as gone', [dropped])
  return row.gone
}

/** The table of the index that a statement creates or drops concurrently, quoted; undefined for another statement, or if there is none. */
export async function tableOf (client: Client, { words }: SqlStatement): Promise<string | undefined> {
  const text = words.join(' ')
  const created = creates.exec(text)?.[2]
  const dropped = drops.exec(text)?.[1]
  const { rows: [row] } = await client.query(
    'select coalesce(to_regclass($1), (select indrelid::regclass from pg_index where indexrelid = to_regclass($2)))::text as table', [created, dropped]
  )
  return row.table ?? undefined
}

/** Drops the invalid index that an interrupted CREATE INDEX CONCURRENTLY left under its name. It slows every write and serves no read. */
export async function dropInvalidIndex (client: Client, { words }: SqlStatement): Promise<void> {
  const index = await findIndex(client, words.join(' '))
  if (index?.valid !== false) return
  await client.query(`drop index concurrently ${escapeIdentifier(index.schema)}.${escapeIdentifier(index.name)}`)
}

interface FoundIndex {
  readonly schema: string
  readonly name: string
  readonly valid: boolean
}

/** The index that a statement creates, if its table already has one of that name. */
async function findIndex (client: Client, text: string): Promise<FoundIndex | undefined> {
  const [, name, table] = creates.exec(text) ?? []
  if (name === undefined) return undefined
  const { rows: [row] } = await client.query<FoundIndex>(
    `select nspname as schema, relname as name, indisvalid as valid
     from pg_index join pg_class on pg_class.oid = indexrelid join pg_namespace on pg_namespace.oid = relnamespace
     where indrelid = to_regclass($1) and relname = (parse_ident($2))[1]::name`, [table, name]
  )
  return row
}
