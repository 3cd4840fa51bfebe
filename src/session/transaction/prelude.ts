/** What is sent in front of the statements of a session, under the same Sync: BEGIN, limits, and the context. */
import { preparedLeading } from '../../statement/leading-statement.js'
import { askIdentity } from './commit-status.js'
import type { LentConnection } from '../../pool/connection-source.js'
import type { TransactionSettings } from '../../settings/transaction-options.js'
import type { LeadingStatement } from '../../statement/leading-statement.js'
import type { Statement } from '../../statement/statement.js'
import type { ContextLead } from './context-lead.js'

/** In front of the first statement of a transaction. */
export function beforeTransaction ({ limits }: LentConnection, { begin, resolveCommits }: Pick<TransactionSettings, 'begin' | 'resolveCommits'>, lead: ContextLead | undefined): LeadingStatement[] {
  const prelude = [preparedLeading('begin', begin), ...limits]
  // The database user asks: the role of the context may lack the right.
  if (resolveCommits) prelude.push(askIdentity)
  if (lead?.statement !== undefined) prelude.push(lead.statement)
  return prelude
}

/** In front of a statement that is a transaction by itself. */
export function beforeStatement (connection: LentConnection, statement: Statement, lead: ContextLead | undefined): readonly LeadingStatement[] {
  const limits = connection.leading(statement)
  return lead?.statement === undefined ? limits : [...limits, lead.statement]
}
