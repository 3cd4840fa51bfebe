import { everything } from './condition.js'
import type { Condition } from './condition.js'
import type { ColumnCodec } from '../../values/column-codec.js'

/** Which rows of a table with `softDelete()` a repository sees: what the table hides is hidden, or all, live or deleted rows alone. */
export type Visibility = 'table' | 'all' | 'live' | 'deleted'

interface SoftDelete {
  readonly codec: ColumnCodec
  readonly filter: boolean
}

/** The condition under which a row is seen; of a table without `softDelete()` each row is live. */
export function visible (softDelete: SoftDelete | undefined, visibility: Visibility): Condition {
  const wanted = visibility === 'table' ? (softDelete?.filter === true ? 'live' : 'all') : visibility
  if (softDelete === undefined || wanted === 'all') return everything
  return { kind: 'test', codec: softDelete.codec, test: wanted === 'live' ? 'isNull' : 'notNull', operands: [] }
}
