import { Pool } from 'pg'
import { balancesAfter, columnsOf, create, createMany, list, lock, read, setBalance, update, valuesOf } from './pg-statements.js'

/** Hand-written pg with BEGIN and COMMIT around each request: https://node-postgres.com/features/transactions */
export async function open (fastify, { connectionString, poolSize }) {
  const pool = new Pool({ connectionString, max: poolSize, idleTimeoutMillis: 0 })
  fastify.addHook('onClose', () => pool.end())
  const transaction = (fn) => inTransaction(pool, fn)

  return {
    read: ({ id }) => transaction(async (client) => (await client.query(read, [id])).rows[0]),
    list: ({ limit }) => transaction(async (client) => (await client.query(list, [limit])).rows),
    create: (values) => transaction(async (client) => (await client.query(create, valuesOf(values))).rows[0]),
    createMany: (rows) => transaction(async (client) => (await client.query(createMany, columnsOf(rows))).rows),

    update: ({ id, note }) => transaction(async (client) => {
      const account = (await client.query(read, [id])).rows[0]
      if (account === undefined) return undefined
      if (!account.isActive) return 'inactive'
      return (await client.query(update, [id, note])).rows[0]
    }),

    transfer: (transfer) => transaction(async (client) => {
      const { rows } = await client.query(lock, [transfer.from, transfer.to])
      const balances = balancesAfter(rows, transfer)
      if (balances === undefined) return undefined
      await client.query(setBalance, [transfer.from, balances.from])
      await client.query(setBalance, [transfer.to, balances.to])
      return balances
    })
  }
}

/** The pattern of pg's own documentation. */
export async function inTransaction (pool, fn) {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const result = await fn(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}
