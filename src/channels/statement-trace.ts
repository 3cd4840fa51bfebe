import { statementChannel } from './channels.js'
import { messageCaller } from './messages.js'
import { begin, finish } from './publish.js'
import { serverOf, setServer } from './place.js'
import { ignore } from '../runtime/promises.js'
import type { Caller } from '../statement/caller.js'
import type { Observed } from '../statement/statement-observer.js'
import type { ObservedMessage, Statement, StatementResult } from '../statement/statement.js'
import type { DatabasePlace, StatementMessage, TransactionMessage } from './messages.js'

/** The circumstances of a statement that somebody watches. */
export interface TraceCircumstances {
  readonly place: DatabasePlace
  readonly caller: Caller
  readonly transaction: TransactionMessage | undefined
}

/** Makes the message of a statement. All its properties are there from the beginning, so that all messages have one shape. */
function statementMessage ({ text, name, kind, context: { operation, table } }: Statement, { place, caller, transaction }: TraceCircumstances): StatementMessage {
  const { database, namespace, serverAddress, serverPort } = place
  return {
    database,
    namespace,
    serverAddress,
    serverPort,
    [messageCaller]: caller,
    route: caller.label,
    operation,
    table,
    kind,
    name,
    text,
    transaction,
    rows: undefined,
    returnedRows: undefined,
    batchSize: undefined,
    durationMillis: undefined,
    processId: undefined,
    error: undefined,
    sqlState: undefined
  }
}

/** Runs a statement between the messages about it. */
export function traceStatement (statement: Statement, circumstances: TraceCircumstances, run: (statement: Statement) => Promise<StatementResult<never>>): Promise<StatementResult<never>> {
  const message = statementMessage(statement, circumstances)
  const answer = begin(statementChannel, message, () => run(watched(statement, message)))
  answer.then((result) => {
    note(message, result)
    finish(statementChannel, message)
  }, (error: Error) => finish(statementChannel, message, error))
  return answer
}

/** The statement with its message. It has the shape of a repository's statements, so that the code behind it stays fast: a spread has another. */
function watched ({ kind, text, name, values, rowMode, reader, nowait, context, types }: Statement, message: StatementMessage): Statement {
  return { kind, text, name, values, rowMode, reader, nowait, context, types, message }
}

function note (message: StatementMessage, { rowCount, rows, results }: StatementResult): void {
  message.returnedRows = rows.length
  message.rows = rowCount ?? rows.length
  if (results !== undefined) message.batchSize = results.length
}

/** Adds what the connection knows of a statement. */
export function noteObserved (message: ObservedMessage | undefined, { durationMillis, client }: Observed): void {
  if (message === undefined) return
  setServer(message, serverOf(client))
  message.durationMillis = durationMillis
}

/** Publishes the message about a statement whose rows are read in batches: one from the first batch to the end. */
export class StreamTrace {
  /** It travels with the statement of each batch. */
  readonly message: StatementMessage
  #durationMillis = 0

  /** Publishes the start. */
  constructor (statement: Statement, circumstances: TraceCircumstances) {
    this.message = statementMessage(statement, circumstances)
    begin(statementChannel, this.message, ignore)
  }

  /** A batch was read. */
  add (count: number): void {
    const { message } = this
    this.#durationMillis += Number(message.durationMillis)
    message.rows = message.returnedRows = (message.rows ?? 0) + count
  }

  /** Publishes the end. */
  end (error: Error | undefined): void {
    if (this.message.durationMillis !== undefined) this.message.durationMillis = this.#durationMillis
    finish(statementChannel, this.message, error)
  }
}
