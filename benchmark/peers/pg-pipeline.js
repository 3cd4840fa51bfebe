import { Pool } from 'pg'
import * as statements from './pg-statements.js'

const { balancesAfter, columnsOf, valuesOf } = statements

// Named statements are parsed and planned once per connection: https://node-postgres.com/features/queries#prepared-statements
const named = (name, values = []) => ({ name, text: statements[name] ?? name, values })

/**
 * The fastest program by hand: prepared statements without needless waits. BEGIN is sent with the first statement, COMMIT with the last:
 * https://node-postgres.com/features/pipelining
 *
 * It is measured for its speed only. Each query has its own Sync here, so that after a failed BEGIN the next statement commits by itself.
 */
export async function open (fastify, { connectionString, poolSize }) {
  const pool = new Pool({ connectionString, max: poolSize, idleTimeoutMillis: 0, pipeline: true })
  fastify.addHook('onClose', () => pool.end())
  const alone = (name, values) => withClient(pool, async (client) => {
    const [, { rows }] = await sendAll(client, [named('begin'), named(name, values), named('commit')])
    return rows
  })

  return {
    read: async ({ id }) => (await alone('read', [id]))[0],
    list: ({ limit }) => alone('list', [limit]),
    create: async (values) => (await alone('create', valuesOf(values)))[0],
    createMany: (rows) => alone('createMany', columnsOf(rows)),

    update: ({ id, note }) => withClient(pool, async (client) => {
      const [, { rows: [account] }] = await sendAll(client, [named('begin'), named('read', [id])])
      if (account === undefined || !account.isActive) {
        await client.query(named('commit'))
        return account === undefined ? undefined : 'inactive'
      }
      const [{ rows: [updated] }] = await sendAll(client, [named('update', [id, note]), named('commit')])
      return updated
    }),

    transfer: (transfer) => withClient(pool, async (client) => {
      const [, { rows }] = await sendAll(client, [named('begin'), named('lock', [transfer.from, transfer.to])])
      const balances = balancesAfter(rows, transfer)
      const updates = balances === undefined ? [] : [named('setBalance', [transfer.from, balances.from]), named('setBalance', [transfer.to, balances.to])]
      await sendAll(client, [...updates, named('commit')])
      return balances
    })
  }
}

function sendAll (client, queries) {
  return Promise.all(queries.map((query) => client.query(query)))
}

async function withClient (pool, fn) {
  const client = await pool.connect()
  try {
    return await fn(client)
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}
