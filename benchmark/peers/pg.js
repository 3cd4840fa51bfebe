import { Pool } from 'pg'
import { balancesAfter, columnsOf, create, createMany, list, lock, read, setBalance, update, valuesOf } from './pg-statements.js'
import { inTransaction } from './pg-transaction.js'

/**
 * Hand-written pg without a transaction: `pool.query`, as https://node-postgres.com/features/pooling shows for single statements.
 * A transfer without a transaction would be wrong, so it has BEGIN and COMMIT here, too.
 */
export async function open (fastify, { connectionString, poolSize }) {
  const pool = new Pool({ connectionString, max: poolSize, idleTimeoutMillis: 0 })
  fastify.addHook('onClose', () => pool.end())

  return {
    read: async ({ id }) => (await pool.query(read, [id])).rows[0],
    list: async ({ limit }) => (await pool.query(list, [limit])).rows,
    create: async (values) => (await pool.query(create, valuesOf(values))).rows[0],
    createMany: async (rows) => (await pool.query(createMany, columnsOf(rows))).rows,

    async update ({ id, note }) {
      const account = (await pool.query(read, [id])).rows[0]
      if (account === undefined) return undefined
      if (!account.isActive) return 'inactive'
      return (await pool.query(update, [id, note])).rows[0]
    },

    transfer: (transfer) => inTransaction(pool, async (client) => {
      const { rows } = await client.query(lock, [transfer.from, transfer.to])
      const balances = balancesAfter(rows, transfer)
      if (balances === undefined) return undefined
      await client.query(setBalance, [transfer.from, balances.from])
      await client.query(setBalance, [transfer.to, balances.to])
      return balances
    })
  }
}
