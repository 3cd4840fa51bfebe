import { isNode, listOf, nodesOf, parseTree } from './node-tree.js'
import type { TreeNode, TreeValue } from './node-tree.js'

/** The columns of one table that a statement gives values to. Columns are numbers, tables oids. */
export interface Write {
  readonly command: 'insert' | 'update'
  readonly relation: string
  /** Those with a value of their own. A column that is given as DEFAULT is not among them. */
  readonly columns: readonly number[]
}

/** A column of a table. */
export interface ColumnPlace {
  readonly relation: string
  readonly column: number
}

/** What a statement does to tables, as PostgreSQL understood it. */
export interface StatementTree {
  /** In the order of the statement. */
  readonly writes: readonly Write[]
  /** The columns of tables that it returns, as they are. */
  readonly returned: readonly ColumnPlace[]
  /** The tables and views that it names. */
  readonly relations: readonly string[]
}

/** PostgreSQL's numbers of commands that write columns. */
const commands: Readonly<Record<string, Write['command']>> = { 2: 'update', 3: 'insert' }

/** Reads the tree of a statement. */
export function readStatementTree (text: string): StatementTree {
  const queries = [...nodesOf(parseTree(text))].filter(({ commandType, rtable }) => commandType !== undefined && rtable !== undefined)
  const { commandType, targetList, returningList } = queries[0]!
  const output = [...listOf(returningList), ...commandType === '1' ? listOf(targetList) : []]
  return {
    writes: queries.flatMap(writesOf),
    returned: returnedColumns(output),
    relations: [...new Set(queries.flatMap(({ rtable }) => listOf(rtable).filter(isRelation).map(({ relid }) => String(relid))))]
  }
}

/** The columns that the columns of a view are, by their numbers; without those that are computed. */
export function readViewColumns (text: string): Map<number, ColumnPlace> {
  const [query] = nodesOf(parseTree(text))
  return new Map(listOf(query?.['targetList']).filter(isColumn).map((entry) => [Number(entry['resno']), placeOf(entry)]))
}

function writesOf (query: TreeNode): Write[] {
  const target = listOf(query['rtable'])[Number(query['resultRelation']) - 1]
  if (target === undefined) return []
  const relation = String(target['relid'])
  const { onConflict } = query
  const actions = [query, ...listOf(query['mergeActionList']), ...isNode(onConflict) ? [{ commandType: '2', targetList: onConflict['onConflictSet']! }] : []]
  return actions.flatMap(({ commandType, targetList }) => {
    const command = commands[String(commandType)]
    const columns = listOf(targetList).filter(hasValue).map(({ resno }) => Number(resno))
    return command === undefined || (command === 'update' && columns.length === 0) ? [] : [{ command, relation, columns }]
  })
}

function hasValue ({ expr, resjunk }: TreeNode): boolean {
  return resjunk === 'false' && !isDefault(expr)
}

/** A SetToDefault has the fields of a type only. */
function isDefault (expr: TreeValue | undefined): boolean {
  return isNode(expr) && Object.keys(expr).every((field) => ['typeId', 'typeMod', 'collation', 'location'].includes(field))
}

function isRelation ({ rtekind, relid }: TreeNode): boolean {
  return rtekind === '0' && relid !== '0'
}

function returnedColumns (entries: readonly TreeNode[]): ColumnPlace[] {
  return entries.filter(isColumn).map(placeOf)
}

function isColumn ({ resorigtbl, resjunk }: TreeNode): boolean {
  return resorigtbl !== '0' && resjunk === 'false'
}

function placeOf ({ resorigtbl, resorigcol }: TreeNode): ColumnPlace {
  return { relation: String(resorigtbl), column: Number(resorigcol) }
}
