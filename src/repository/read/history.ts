import { asc, desc, sql } from 'drizzle-orm'
import { auditOf } from '../../audit/audit.js'
import { keyFunction } from '../../audit/trigger-functions.js'
import { qualified } from '../../audit/sql-names.js'
import { tableNameOf } from '../../drizzle/table-name.js'
import { checkPlainCall } from '../../errors/check-call.js'
import { UsageError } from '../../errors/errors.js'
import { oneOf, anything } from '../../runtime/option-checks.js'
import { describeColumn } from '../../values/column-codec.js'
import { encodeKey } from '../filter/key-condition.js'
import { ask } from '../table/answers.js'
import { slot } from '../table/statement-shape.js'
import { boundsOfList, cut } from './default-limit.js'
import { historyReader } from './history-reader.js'
import { parameter } from '../table/statement-shape.js'
import type { Audit } from '../../audit/audit.js'
import type { OptionChecks } from '../../runtime/option-checks.js'
import type { Statement } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import type { TableStatements } from '../table/table-statements.js'
import type { HistoryOptions } from '../types/history.js'
import type { ReadContext } from './read-context.js'

/** Reads the history of the row with a primary key. Soft-deleted and deleted rows have one, too. */
export async function readHistory ({ session, table }: ReadContext, id: unknown, options: unknown = {}): Promise<AnyRow[]> {
  const audit = auditOf(table.table)
  if (audit === undefined) {
    throw new UsageError(`Table "${table.name}" has no history: call audit() for it, export what it returns from your schema, and write a migration`, {
      context: { operation: 'history', table: table.name }
    })
  }
  checkPlainCall('history()', options, historyChecks)
  return await ask<AnyRow, AnyRow[]>(session, () => selectHistory(table, audit, { id, options }), (result) =>
    cut(result, { operation: 'history', options }, { session, table }))
}

function selectHistory (table: TableStatements, audit: Audit, { id, options }: { id: unknown, options: HistoryOptions }): Statement {
  const { direction = 'asc' } = options
  const bounds = boundsOfList(options, table)
  const parts = encodeKey(id, table).map(keyText)
  const shape = table.shape('history')
  shape.key += direction
  for (const part of parts) shape.add(part)
  shape.values.push(bounds.limit, bounds.skip)
  const { history } = audit
  return table.call(shape, () => {
    const own = entryColumns.map((key, index) => describeColumn(key, index, history[key]))
    const key = sql`${sql.raw(qualified(keyFunction(tableNameOf(history))))}(${sql.join(parts.map((part) => sql`${slot(part)}::text`), sql`, `)})`
    // A NULL of each column tells its type, which its reader needs.
    const types = table.codecs.map(({ column }) => sql`(null::${table.table}).${table.builder.unqualified(sql`${column}`)}`)
    const columns = [...own.map(({ column }) => sql`${column}`), sql`${history.before}`, sql`${history.after}`, ...types]
    const order = direction === 'asc' ? asc(history.id) : desc(history.id)
    return {
      query: sql`select ${sql.join(columns, sql`, `)} from ${history} where ${history.key} = ${key} order by ${order} limit ${parameter} offset ${parameter}`,
      reader: historyReader(own, table.codecs.map((codec) => ({ codec, name: table.builder.columnName(codec.column) }))),
      kind: 'read'
    }
  })
}

/** The columns of an entry that are read as they are. */
const entryColumns = ['id', 'at', 'operation', 'changed', 'actor', 'requestId', 'reason', 'databaseUser', 'transactionId'] as const

/** The text of a part of a key: pg would send bytes as they are. */
function keyText (part: unknown): unknown {
  return part instanceof Uint8Array ? `\\x${Buffer.from(part).toString('hex')}` : part
}

/** The numbers are checked with those of all lists. */
const historyChecks: OptionChecks<HistoryOptions> = { skip: anything, limit: anything, direction: oneOf('asc', 'desc') }
