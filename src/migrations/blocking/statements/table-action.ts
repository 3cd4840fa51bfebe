import { readColumn, type ColumnDefinition } from './column-definition.js'
import { typeText } from './column-type.js'
import { beginsConstraint, readConstraint, type TableConstraint } from './table-constraint.js'
import { TokenReader } from './token-reader.js'
import type { SqlToken } from './sql-token.js'

/** One action of ALTER TABLE. */
export type TableAction =
  | { readonly kind: 'addColumn', readonly column: ColumnDefinition }
  | { readonly kind: 'dropColumn', readonly name: string }
  | { readonly kind: 'addConstraint', readonly constraint: TableConstraint }
  | { readonly kind: 'validateConstraint' | 'dropConstraint', readonly name: string }
  | { readonly kind: 'setNotNull' | 'dropNotNull', readonly column: string }
  | { readonly kind: 'setType', readonly column: string, readonly type: string, readonly hasCollation: boolean, readonly using: readonly SqlToken[] }
  | { readonly kind: 'setExpression', readonly column: string }
  | { readonly kind: 'renameColumn', readonly from: string, readonly to: string }
  | { readonly kind: 'renameConstraint', readonly from: string, readonly to: string }
  | { readonly kind: 'renameTable' | 'moveTable', readonly to: string }
  | { readonly kind: 'attachPartition', readonly partition: string }
  | { readonly kind: 'rewrite' }
  /** An action that needs no reading: only its lock counts. */
  | { readonly kind: 'other', readonly isExclusive: boolean }

/** Reads an action, without the comma after it. */
export function readAction (tokens: readonly SqlToken[]): TableAction {
  const reader = new TokenReader(tokens)
  if (reader.take('ADD')) return readAdd(reader)
  if (reader.take('DROP')) return readDrop(reader)
  if (reader.take('ALTER')) return readAlter(reader)
  if (reader.take('RENAME')) return readRename(reader)
  if (reader.take('VALIDATE CONSTRAINT')) return { kind: 'validateConstraint', name: reader.name() }
  if (reader.take('ATTACH PARTITION')) return { kind: 'attachPartition', partition: reader.fullName() }
  if (reader.take('SET SCHEMA')) return { kind: 'moveTable', to: reader.name() }
  if (rewrites.some((words) => reader.is(words))) return { kind: 'rewrite' }
  return { kind: 'other', isExclusive: !light.some((words) => reader.is(words)) && !tokens.some(({ text }) => text === 'CONCURRENTLY') }
}

const rewrites = ['SET LOGGED', 'SET UNLOGGED', 'SET TABLESPACE', 'SET ACCESS METHOD']
/** Actions that leave reads and writes alone, or at least reads: see "Explicit Locking" and ALTER TABLE in the documentation of PostgreSQL. */
const light = ['SET (', 'RESET (', 'CLUSTER ON', 'SET WITHOUT CLUSTER', 'ENABLE TRIGGER', 'DISABLE TRIGGER', 'ENABLE ALWAYS TRIGGER', 'ENABLE REPLICA TRIGGER']

function readAdd (reader: TokenReader): TableAction {
  if (beginsConstraint(reader)) return { kind: 'addConstraint', constraint: readConstraint(reader) }
  reader.take('COLUMN')
  reader.take('IF NOT EXISTS')
  return { kind: 'addColumn', column: readColumn(reader.rest()) }
}

function readDrop (reader: TokenReader): TableAction {
  const kind = reader.take('CONSTRAINT') ? 'dropConstraint' : 'dropColumn'
  reader.take('COLUMN')
  reader.take('IF EXISTS')
  return { kind, name: reader.name() }
}

function readAlter (reader: TokenReader): TableAction {
  if (reader.is('CONSTRAINT')) return { kind: 'other', isExclusive: true }
  reader.take('COLUMN')
  const column = reader.name()
  if (reader.take('SET NOT NULL')) return { kind: 'setNotNull', column }
  if (reader.take('DROP NOT NULL')) return { kind: 'dropNotNull', column }
  if (reader.take('SET EXPRESSION')) return { kind: 'setExpression', column }
  if (reader.take('SET DATA TYPE') || reader.take('TYPE')) return readType(reader, column)
  return { kind: 'other', isExclusive: !reader.is('SET STATISTICS') && !reader.is('SET (') && !reader.is('RESET (') }
}

function readType (reader: TokenReader, column: string): TableAction {
  const type = typeText(reader.until('COLLATE', 'USING'))
  const hasCollation = reader.is('COLLATE')
  reader.until('USING')
  reader.take('USING')
  return { kind: 'setType', column, type, hasCollation, using: reader.rest() }
}

function readRename (reader: TokenReader): TableAction {
  if (reader.take('TO')) return { kind: 'renameTable', to: reader.name() }
  const kind = reader.take('CONSTRAINT') ? 'renameConstraint' : 'renameColumn'
  reader.take('COLUMN')
  const from = reader.name()
  reader.take('TO')
  return { kind, from, to: reader.name() }
}
