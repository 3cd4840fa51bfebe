import type { StatementRunner } from '../session/statement.js'
import { ask, rowsOf } from './answers.js'
import { rowOf } from './changes.js'
import type { Change } from './changes.js'
import type { TableStatements } from './statements.js'
import { insert } from './write.js'

/** PostgreSQL takes 65,535 parameters; half of them keeps Drizzle, which passes them as arguments, clear of the end of the stack. */
const mostParameters = 32_000

/** Rows that leave everything to DEFAULT have no parameters; their statement is not to grow without end either. */
const mostRows = 5_000

type NewRows = ReadonlyArray<readonly Change[]>

/**
 * Inserts the rows in as few statements as PostgreSQL allows, all or none, and resolves with them as stored, in the order given.
 * Every row is checked before the first is sent.
 */
export async function insertMany (table: TableStatements, rows: readonly unknown[], session: StatementRunner): Promise<unknown[]> {
  const statements = chunks(rows.map((values) => rowOf(values, table)))
  if (statements.length <= 1) return insertChunks(table, statements, session)
  return session.transaction((transaction) => insertChunks(table, statements, transaction))
}

async function insertChunks (table: TableStatements, statements: readonly NewRows[], session: StatementRunner): Promise<unknown[]> {
  const stored: unknown[] = []
  for (const rows of statements) {
    for (const row of await ask(session, () => insert(table, 'createMany', rows), rowsOf)) stored.push(row)
  }
  return stored
}

function chunks (rows: NewRows): NewRows[] {
  const statements: Array<Array<readonly Change[]>> = []
  let open: Array<readonly Change[]> = []
  let parameters = 0
  for (const row of rows) {
    if (open.length === 0 || open.length === mostRows || parameters + row.length > mostParameters) {
      open = []
      statements.push(open)
      parameters = 0
    }
    open.push(row)
    parameters += row.length
  }
  return statements
}
