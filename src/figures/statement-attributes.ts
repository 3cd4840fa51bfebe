import { known } from './attributes.js'
import type { StatementMessage } from '../channels/messages.js'
import type { Attributes } from './attributes.js'

/** The commands of PostgreSQL that programs send. Any other first word is none: it must not become an attribute. */
const commands = new Set([
  'ALTER', 'ANALYZE', 'CALL', 'COMMENT', 'CREATE', 'DEALLOCATE', 'DELETE', 'DO', 'DROP', 'EXECUTE', 'EXPLAIN', 'GRANT', 'INSERT', 'LISTEN', 'LOCK', 'MERGE', 'NOTIFY',
  'PREPARE', 'REFRESH', 'REINDEX', 'RESET', 'REVOKE', 'SELECT', 'SET', 'SHOW', 'TABLE', 'TRUNCATE', 'UNLISTEN', 'UPDATE', 'VACUUM', 'VALUES', 'WITH'
])

/** The first word of a text, after white space, parentheses and comments. */
const firstWord = /^(?:[\s(]|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*([a-z]+)/i

/** The command of an SQL text in capitals, for example `SELECT`; undefined if PostgreSQL has none of this name. */
export function commandOf (text: string): string | undefined {
  const word = firstWord.exec(text)?.[1]?.toUpperCase()
  return word !== undefined && commands.has(word) ? word : undefined
}

/** A statement in few words, for example `SELECT users`, or only its command for SQL of the program's own; undefined for a text without a known command. */
export function summaryOf ({ text, table }: Pick<StatementMessage, 'text' | 'table'>): string | undefined {
  const command = commandOf(text)
  return command === undefined || table === undefined ? command : `${command} ${table}`
}

/** What an error is, in one word: its SQLSTATE, or else its code. */
export function errorTypeOf ({ error, sqlState }: Pick<StatementMessage, 'error' | 'sqlState'>): string | undefined {
  if (error === undefined) return undefined
  const { code } = error as { readonly code?: unknown } // DatabaseError has one
  return sqlState ?? (typeof code === 'string' ? code : '_OTHER')
}

/**
 * The attributes of a statement by the conventions for clients of databases. SQL of the program's own has a summary, and no `db.operation.name`: it may hold several
 * operations. https://github.com/open-telemetry/semantic-conventions/blob/v1.44.0/docs/db/database-spans.md
 */
export function statementAttributes (message: StatementMessage): Attributes {
  const { kind, text, table, namespace, serverAddress, serverPort, sqlState } = message
  return known({
    'db.system.name': 'postgresql',
    'db.namespace': namespace,
    'db.collection.name': table,
    'db.operation.name': kind === 'raw' ? undefined : commandOf(text),
    'db.query.summary': summaryOf(message),
    'db.response.status_code': sqlState,
    'error.type': errorTypeOf(message),
    'server.address': serverAddress,
    'server.port': serverPort
  })
}
