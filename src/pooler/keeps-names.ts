import { randomUUID } from 'node:crypto'
import type { ClientBase } from 'pg'

/**
 * Whether a pooler keeps the names of prepared statements. Such a pooler gives them names of its own on the server. If a pooler
 * passes a name on instead, the next client of that server connection meets it.
 */
export async function keepsNames (client: ClientBase): Promise<boolean> {
  const name = `data_access_probe_${randomUUID()}`
  await client.query('begin')
  const { rows: [row] } = await client.query<{ passed: boolean }>({ name, text: 'select exists (select from pg_prepared_statements where name = $1) as passed', values: [name] })
  const passed = row?.passed !== false
  if (passed) await client.query(`deallocate "${name}"`)
  await client.query('rollback')
  return !passed
}
