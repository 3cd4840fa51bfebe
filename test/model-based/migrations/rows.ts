import { isDeepStrictEqual } from 'node:util'
import type { Client } from 'pg'
import type { Way } from '../../../src/migrations/generate/changes/diff-statements.js'
import type { Snapshot, Table } from '../../../src/migrations/generate/snapshots/snapshot.js'

/** A table, and those of its columns that are in both models with one type, under whatever names. */
interface Kept {
  readonly table: string
  readonly columns: readonly string[]
}

/** Puts a row into each table. */
export async function fill (client: Client, { tables, enums }: Snapshot): Promise<void> {
  for (const { name, columns } of Object.values(tables)) {
    const given = Object.values(columns).filter((column) => ['one', 'two', 'three'].includes(column.name))
    const values = given.map(({ type }) => valueOf(type, Object.values(enums)[0]?.values[0] ?? ''))
    await client.query(given.length === 0
      ? `insert into "${name}" default values`
      : `insert into "${name}" (${given.map((column) => `"${column.name}"`).join(', ')}) values (${values.map((value) => `'${value}'`).join(', ')})`)
  }
}

/** What the way there and back must keep. */
export async function readKept (client: Client, way: Way): Promise<unknown[]> {
  const found: unknown[] = []
  for (const { table, columns } of keptBy(way)) {
    const { rows } = await client.query(`select ${columns.map((column) => `"${column}"::text`).join(', ') || 'null'} from "${table}"`)
    found.push({ table, rows })
  }
  return found
}

/** @throws Error where something of it is not there any more */
export function sameRows (expected: unknown[], found: unknown[]): void {
  if (!isDeepStrictEqual(expected, found)) throw new Error(`After the way back rows differ: ${JSON.stringify(expected)} became ${JSON.stringify(found)}`)
}

function keptBy ({ before, after, renames }: Way): Kept[] {
  return Object.entries(before.tables).flatMap(([key, table]) => {
    const later = renames.find(({ kind, from }) => kind === 'table' && from === key)?.to ?? key
    const other = after.tables[later]
    return other === undefined ? [] : [{ table: table.name, columns: keptColumns(table, other, columnRenames(renames, later)) }]
  })
}

function columnRenames (renames: Way['renames'], table: string): Map<string, string> {
  return new Map(renames.filter((rename) => rename.kind === 'column' && rename.table === table).map(({ from, to }) => [from, to]))
}

function keptColumns (table: Table, other: Table, renames: ReadonlyMap<string, string>): string[] {
  return Object.values(table.columns)
    .filter(({ name, type }) => other.columns[renames.get(name) ?? name]?.type === type)
    .map(({ name }) => name)
}

function valueOf (type: string, mood: string): string {
  if (type === 'boolean') return 'true'
  if (type === 'jsonb') return '{"a": 1}'
  if (/^(date|timestamp)/.test(type)) return '2026-01-01'
  if (/^(integer|bigint|numeric)/.test(type)) return '5'
  return type === 'mood' ? mood : 'x'
}
