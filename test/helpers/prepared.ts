/** Scripts for a statement with a name, which PostgreSQL parses and describes once for each connection. */
import { statementName } from '../../src/statement/statement-name.js'
import { answer, groupAnswer, openScripted } from './scripted-postgres.js'
import { bindComplete, commandComplete, parseComplete } from './wire.js'
import type { Statement } from '../../src/statement/statement.js'
import type { Scripted } from './scripted-postgres.js'
import type { Test } from './test.js'

export const named = (name: string, text: string, ...values: unknown[]): Statement =>
  ({ kind: 'write', name, text, values, context: { operation: 'test' } })

export const one = named('one', 'select $1', 1)

/** The messages for `one`: the first time, when it is known, and without its name. */
export const first = ['Parse one select $1', 'Bind one 1', 'Describe P', 'Execute', 'Sync']
export const again = ['Bind one 1', 'Execute', 'Sync']
export const withoutName = ['Parse select $1', 'Bind 1', 'Describe P', 'Execute', 'Sync']

export const firstAnswer = groupAnswer([], 'SELECT 0', { status: 'I' })
export const againAnswer = [bindComplete, ...answer('SELECT 0', { status: 'I' })]

const begin = statementName('begin', 'begin')

/** The messages for a BEGIN that the connection did not know, and the answer. */
export const beginParts = [`Parse ${begin} begin`, `Bind ${begin}`, 'Execute']
export const begun = [parseComplete, bindComplete, commandComplete('BEGIN')]

/** The name of COMMIT. */
export const commit = statementName('commit', 'commit')

/** A database that uses names. */
export function openNaming (t: Test): Promise<Scripted> {
  return openScripted(t, { preparedStatements: true })
}

/** A database whose only connection has prepared the statement `one`. */
export async function openKnowing (t: Test): Promise<Scripted> {
  const scripted = await openNaming(t)
  const done = scripted.database.run(one)
  await scripted.peer.next()
  scripted.peer.send(...firstAnswer)
  await done
  return scripted
}
