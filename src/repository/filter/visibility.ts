import { everything } from './condition.js'
import type { Condition } from './condition.js'
import type { ColumnCodec } from '../../values/column-codec.js'

/** The rows of a table with `softDelete()` that a repository sees: by the table's own setting, all, only live, or only deleted rows. */
export type Visibility = 'table' | 'all' | 'live' | 'deleted'

interface SoftDelete {
  readonly codec: ColumnCodec
  readonly filter: boolean
}

/** The condition of a visible row. Without `softDelete()` every row is live. */
export function visible (softDelete: SoftDelete | undefined, visibility: Visibility): Condition {
  const wanted = visibility === 'table' ? (softDelete?.filter === true ? 'live' : 'all') : visibility
  if (softDelete === undefined || wanted === 'all') return everything
  return { kind: 'test', codec: softDelete.codec, test: wanted === 'live' ? 'isNull' : 'notNull', operands: [] }
}
