import type { Savepoint } from './savepoint.js'
import type { Statement, StatementResult } from '../statement/statement.js'

/** A statement that waits for its turn, and who is told what came of it. */
export interface Task {
  readonly statement: Statement
  readonly savepoint: Savepoint | undefined
  readonly resolve: (result: StatementResult<never>) => void
  readonly reject: (error: Error) => void
}
