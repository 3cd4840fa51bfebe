import type { ColumnDefinition } from './column-definition.js'
import type { SqlToken } from './sql-token.js'
import type { TableAction } from './table-action.js'
import type { TableConstraint } from './table-constraint.js'

/** An action of ALTER TABLE, with its tokens. */
export interface PlacedAction {
  readonly action: TableAction
  readonly tokens: readonly SqlToken[]
}

/** What a statement does to tables, as far as their locks and rows are concerned. */
export type Change =
  | { readonly kind: 'createTable', readonly table: string, readonly columns: readonly ColumnDefinition[], readonly constraints: readonly TableConstraint[], readonly isPartitioned: boolean }
  | { readonly kind: 'alterTable', readonly table: string, readonly actions: readonly PlacedAction[] }
  | { readonly kind: 'createIndex', readonly table: string, readonly index: string, readonly columns: readonly string[], readonly isConcurrent: boolean, readonly isOnly: boolean }
  | { readonly kind: 'dropIndex', readonly indexes: readonly string[], readonly isConcurrent: boolean }
  /** `to` has no schema: the index stays in its own. */
  | { readonly kind: 'renameIndex', readonly from: string, readonly to: string }
  | { readonly kind: 'reindex', readonly target: 'index' | 'table' | 'all', readonly name: string, readonly isConcurrent: boolean }
  | { readonly kind: 'dropTable' | 'truncate', readonly tables: readonly string[] }
  | { readonly kind: 'dropSchema', readonly schemas: readonly string[], readonly isCascade: boolean }
  | { readonly kind: 'lockTable', readonly tables: readonly string[], readonly mode: string }
  | { readonly kind: 'refreshView', readonly view: string, readonly isConcurrent: boolean, readonly hasData: boolean }
  /** VACUUM FULL and CLUSTER; without a table, of all tables. */
  | { readonly kind: 'rewriteTables', readonly tables: readonly string[] }
  /** UPDATE, DELETE, MERGE, or an INSERT of rows that a query gives. */
  | { readonly kind: 'writeRows', readonly table: string }
