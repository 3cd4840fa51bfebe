import { ignore } from '../../runtime/promises.js'
import type { Client } from 'pg'

/** Runs `fn` in a transaction: all of its statements take effect, or none. */
export async function inTransaction (client: Client, fn: () => Promise<void>): Promise<void> {
  await client.query('begin')
  try {
    await fn()
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(ignore)
    throw error
  }
}
