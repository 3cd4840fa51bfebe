import pg from 'pg'
import { createTestDatabase } from '../../src/testing/index.js'
import type { Test } from 'tap'

/** A client of a new database that leaves the texts of PostgreSQL as they are. */
export async function connectForTexts (t: Test): Promise<pg.Client> {
  const { connectionString } = await createTestDatabase(t)
  const client = new pg.Client({ connectionString, types: { getTypeParser: () => (value: string) => value } })
  await client.connect()
  t.teardown(() => client.end())
  return client
}

/** Refuses to make code of text, as Node does with `--disallow-code-generation-from-strings`, and counts the attempts. */
export function forbidCode (t: Test): { readonly attempts: number } {
  const counted = { attempts: 0 }
  t.intercept(globalThis, 'Function', {
    value: class { constructor () { counted.attempts++; throw new EvalError('Code generation from strings disallowed for this context') } }
  })
  return counted
}
