import { isDeepStrictEqual } from 'node:util'
import type { Client } from 'pg'
import type { Diff } from '../../../src/migrations/generate/snapshots/diff.js'
import { catalogueType, mentions, quotedName } from '../../../src/migrations/generate/snapshots/names.js'
import type { Column, Snapshot } from '../../../src/migrations/generate/snapshots/snapshot.js'

/** A table, and its columns whose values must be restored. */
interface Kept {
  readonly table: string
  readonly columns: readonly string[]
}

/** A row: its number, the value of its enums, and whether it has NULL wherever possible. */
export interface Row {
  readonly key: number
  readonly mood: string
  readonly nulls?: boolean
}

/** A value of the enum that both models have: a new value cannot be used before its transaction has ended. */
export function moodOf ({ before, after }: Diff): string {
  const [values = [], others = []] = [before, after].map(({ enums }) => Object.values(enums)[0]?.values)
  return values.find((value) => others.includes(value)) ?? ''
}

/** Inserts a row into each table, with values that depend on its number. Without a sequence, the number is the key. */
export async function fill (client: Client, { tables, enums }: Snapshot, { key, mood, nulls = false }: Row): Promise<void> {
  const anyMood = mood === '' ? Object.values(enums)[0]?.values[0] ?? '' : mood
  for (const table of Object.values(tables)) {
    const { columns } = table
    const isPlain = ({ name, type, identity, default: value }: Column) => name === 'id' && type === 'integer' && identity === undefined && value === undefined
    const given = Object.values(columns).filter((column) => ['one', 'two', 'three'].includes(column.name) || isPlain(column))
    const values = given.map((column) => {
      if (isPlain(column)) return String(key)
      return nulls && !column.notNull ? 'null' : `'${valueOf(column.type, anyMood, key)}'`
    })
    await client.query(given.length === 0
      ? `insert into ${quotedName(table)} default values`
      : `insert into ${quotedName(table)} (${given.map((column) => `"${column.name}"`).join(', ')}) values (${values.join(', ')})`)
  }
  for (const table of Object.values(tables)) {
    for (const { tableTo, schemaTo, columnsFrom, columnsTo } of Object.values(table.foreignKeys)) {
      await client.query(`update ${quotedName(table)} set "${columnsFrom[0]}" = (select "${columnsTo[0]}" from ${quotedName({
      name: tableTo, schema: schemaTo ?? ''
    })} limit 1)`)
    }
  }
}

/** Reads the values that a migration and its way back must keep. */
export async function readKept (client: Client, way: Diff, irreversible: readonly string[]): Promise<unknown[]> {
  const found: unknown[] = []
  for (const { table, columns } of keptBy(way, irreversible)) {
    const texts = columns.map((column) => `"${column}"::text`).join(', ') || 'null'
    const { rows } = await client.query(`select ${texts} from ${table} order by row(${texts})`)
    found.push({ table, rows })
  }
  return found
}

/** @throws Error if any of them is lost or changed */
export function sameRows (expected: unknown[], found: unknown[]): void {
  if (!isDeepStrictEqual(expected, found)) throw new Error(`After the way back rows differ: ${JSON.stringify(expected)} became ${JSON.stringify(found)}`)
}

function keptBy ({ before, after, renames }: Diff, irreversible: readonly string[]): Kept[] {
  return Object.entries(before.tables).flatMap(([key, table]) => {
    const laterTable = renames.find(({ kind, from }) => kind === 'table' && from === key)?.to ?? key
    const other = after.tables[laterTable]
    if (other === undefined) {
      if (!irreversible.includes(`the rows of ${plain(key)}`)) throw new Error(`The rows of ${key} are dropped without a directive`)
      return []
    }
    const columns = Object.values(table.columns).filter((column) => {
      const name = renames.find((rename) => rename.kind === 'column' && rename.table === laterTable && rename.from === column.name)?.to ?? column.name
      const later = other.columns[name]
      const isSame = later !== undefined && catalogueType(later) === catalogueType(column) && (later.generated === undefined || column.generated !== undefined)
      const isMarked = irreversible.some((what) => new RegExp(`\\bvalues of ${plain(laterTable)}\\.${name}(,| were|$)`).test(what))
      if (isSame && isMarked) throw new Error(`The values of ${laterTable}.${name} stay, but are listed as lost`)
      return isSame || (column.generated === undefined && !isMarked)
    })
    // A generated value is restored if the values of its expression are.
    const lost = Object.keys(table.columns).filter((name) => !columns.some((column) => column.name === name))
    const kept = columns.filter(({ generated }) => !lost.some((name) => mentions(generated?.as, name)))
    return [{ table: quotedName(table), columns: kept.map(({ name }) => name) }]
  })
}

function plain (key: string): string {
  return key.replace(/^public\./, '')
}

/** Values for a type. Texts are numbers, so that most values fit another type, and each has another length. */
function valueOf (type: string, mood: string, key: number): string {
  if (type === 'boolean') return 'true'
  if (/^(date|timestamp)/.test(type)) return `2026-01-0${key}`
  if (type === 'uuid') return `00000000-0000-0000-0000-00000000000${key}`
  if (type === 'interval') return `0${key}:00:00`
  if (type.startsWith('time')) return `12:0${key}`
  const number = '5'.repeat(key)
  if (type.endsWith('[]')) return `{${/^(text|integer)/.test(type) ? number : mood}}`
  return ['mood', 'spirit'].includes(type) ? mood : number
}
