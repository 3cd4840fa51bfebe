import { refuse } from '../history/problems.js'
import type { SqlStatement } from '../folder/sql-scanner.js'
import type { Placed } from '../history/schema-place.js'
import type { MigrationStep } from '../history/step.js'

/** SET LOCAL, SET CONSTRAINTS and SET TRANSACTION concern a transaction. */
const needsSession = /^(?:SET (?!LOCAL |CONSTRAINTS |TRANSACTION )|RESET |DISCARD |LISTEN |UNLISTEN |LOAD |PREPARE (?!TRANSACTION )|CREATE (?:LOCAL |GLOBAL )?TEMP(?:ORARY)? )/

/**
 * Refuses statements of non-transactional files whose effect stays in a session. Behind a pooler, the file's next statement may run in another session, and
 * another client may get this one. A file that is one transaction may have them: its settings are reset with its COMMIT.
 *
 * @param direct how the URL of the server itself is given
 * @throws {MigrationError} `DB_MIGRATION_FAILED`
 */
export function refuseSessionStatements (steps: readonly MigrationStep[], { direct, place: schema }: Placed & { readonly direct: string }): void {
  const outside = steps.filter(({ text }) => !text.transactional)
  if (schema !== undefined) {
    refuse(outside.map(({ file }) => ({
      kind: 'unfit', message: `${file} has no-transaction, and behind a pooler no search path leads it to a schema. Give the URL of the server itself as ${direct}`
    })))
  }
  const found = outside.flatMap(({ file, text: { scanned } }) =>
    scanned.flatMap((statements, index) => statements.filter(staysInSession).map(({ words: [word] }) => `${file}, statement ${index + 1}, ${word}`)))
  refuse(found.map((place) => ({
    kind: 'unfit', message: `${place}: its effect stays in a session, and a pooler may run each statement of this file in another one. Give the URL of the server itself as ${direct}`
  })))
}

function staysInSession ({ words }: SqlStatement): boolean {
  return needsSession.test(`${words.join(' ')} `)
}
