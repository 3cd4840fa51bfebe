import { defaultName } from '../settings/settings.js'
import { errorTypeOf, statementAttributes } from '../figures/statement-attributes.js'
import type { Attributes } from '@opentelemetry/api'
import type { AcquireMessage, DatabasePlace, Ending, StatementMessage, TransactionMessage } from '../channels/messages.js'

/** The attributes that spans have, and figures do not. Like those of figures, none is the value of a parameter or of a row. */
export const spanAttributeNames = [
  'data_access.route', 'data_access.transaction.attempt', 'data_access.transaction.isolation_level', 'data_access.transaction.read_only',
  'data_access.transaction.statements', 'data_access.wait.outcome', 'data_access.wait.waiting', 'db.operation.batch.size', 'db.query.text', 'db.response.returned_rows'
] as const

/** The attributes of a statement when it begins: a sampler sees these. */
export function statementStart (message: StatementMessage): Attributes {
  const { database, text } = message
  return { ...statementAttributes(message), 'db.query.text': text, ...database !== defaultName && { 'data_access.database': database } }
}

/** Those that are known at its end; `hasMoved`: with several hosts the server is known when the connection is. */
export function statementEnd (message: StatementMessage, hasMoved: boolean): Attributes {
  const { batchSize, returnedRows, sqlState, error } = message
  const attributes: Attributes = hasMoved ? placeOf(message) : {}
  if (returnedRows !== undefined) attributes['db.response.returned_rows'] = returnedRows
  if (batchSize !== undefined) attributes['db.operation.batch.size'] = batchSize
  if (sqlState !== undefined) attributes['db.response.status_code'] = sqlState
  if (error !== undefined) attributes['error.type'] = errorTypeOf(message)
  return attributes
}

/** The attributes of a transaction when it begins. */
export function transactionStart (message: TransactionMessage): Attributes {
  return {
    ...startOf(message),
    'data_access.transaction.attempt': message.attempt,
    'data_access.transaction.isolation_level': message.isolationLevel,
    'data_access.transaction.read_only': message.readOnly
  }
}

/** Those that are known at its end. */
export function transactionEnd (message: TransactionMessage): Attributes {
  return { ...endOf(message), 'data_access.transaction.outcome': message.outcome, 'data_access.transaction.statements': message.statements }
}

/** The attributes of a wait, which has one span at its end. */
export function waitAttributes (message: AcquireMessage): Attributes {
  return {
    ...startOf(message),
    ...endOf(message),
    'db.client.connection.pool.name': message.pool,
    'data_access.wait.outcome': message.outcome,
    'data_access.wait.waiting': message.waiting
  }
}

function startOf (message: DatabasePlace & { readonly route: string }): Attributes {
  return { 'db.system.name': 'postgresql', ...placeOf(message), 'data_access.database': message.database, 'data_access.route': message.route }
}

/** With several hosts the server is known when the connection is. */
function endOf (message: DatabasePlace & Ending): Attributes {
  return { ...placeOf(message), 'db.response.status_code': message.sqlState, 'error.type': errorTypeOf(message) }
}

function placeOf ({ namespace, serverAddress, serverPort }: DatabasePlace): Attributes {
  return { 'db.namespace': namespace, 'server.address': serverAddress, 'server.port': serverPort }
}
