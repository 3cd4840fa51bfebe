import type { Statement, StatementResult } from '../../statement/statement.js'
import type { Savepoint } from './savepoint.js'

/** The most statements that are sent together. */
const mostTogether = 50

/** A statement that waits for its transaction's connection, and the callbacks that receive its result. */
export interface QueuedStatement {
  readonly statement: Statement
  readonly savepoint: Savepoint | undefined
  readonly resolve: (result: StatementResult<never>) => void
  readonly reject: (error: Error) => void
}

/** The queue with one more statement at its end. The first one makes a new list, because a list that grows would have room for 17. */
export function added (queue: QueuedStatement[], task: QueuedStatement): QueuedStatement[] {
  if (queue.length === 0) return [task]
  queue.push(task)
  return queue
}

/** Takes the next statement off the queue, and those after it that may be sent with it: PostgreSQL skips them if it fails. */
export function takeBatch (queue: QueuedStatement[]): QueuedStatement[] {
  const [first] = queue
  const mayTravel = ({ statement, savepoint }: QueuedStatement): boolean => statement.kind !== 'raw' && savepoint === first?.savepoint
  let count = 1
  if (first !== undefined && mayTravel(first)) while (count < Math.min(queue.length, mostTogether) && mayTravel(queue[count] as QueuedStatement)) count++
  return queue.splice(0, count)
}
