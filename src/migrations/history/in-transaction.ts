import { ignore } from '../../runtime/promises.js'
import type { Client } from 'pg'

const limitNames = "'statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout'"

/** Turns off the time limits of the server and the role, until the end of the transaction. */
export const withoutLimits = `select set_config(name, '0', true) from pg_settings where name in (${limitNames})`

/** Runs `fn` in a transaction without time limits: all of its statements take effect, or none. */
export async function inTransaction<Result> (client: Client, fn: () => Promise<Result>): Promise<Result> {
  await client.query(`begin; ${withoutLimits}`)
  try {
    const result = await fn()
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch(ignore)
    throw error
  }
}
