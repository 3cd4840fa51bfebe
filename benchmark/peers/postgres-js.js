import postgres from 'postgres'
import { balancesAfter, valuesOf } from './pg-statements.js'

const columns = ['name', 'email', 'balance', 'isActive', 'settings', 'note']

/** postgres.js, with `sql.begin` around the statements of a request: https://github.com/porsager/postgres#transactions */
export async function open (fastify, { connectionString, poolSize, plainReads }) {
  const sql = postgres(connectionString, { max: poolSize, idle_timeout: 0, transform: postgres.camel, onnotice: () => {} })
  fastify.addHook('onClose', () => sql.end())
  const reading = (fn) => plainReads ? fn(sql) : sql.begin(fn)

  return {
    read: ({ id }) => reading(async (sql) => (await sql`select * from accounts where id = ${id}`)[0]),
    list: ({ limit }) => reading((sql) => sql`select * from accounts order by created_at desc, id desc limit ${limit}`),
    create: (values) => sql.begin(async (sql) => (await sql`insert into accounts ${sql(rowOf(values), ...columns)} returning *`)[0]),
    createMany: (rows) => sql.begin((sql) => sql`insert into accounts ${sql(rows.map(rowOf), ...columns)} returning *`),

    update: ({ id, note }) => sql.begin(async (sql) => {
      const [account] = await sql`select * from accounts where id = ${id}`
      if (account === undefined) return undefined
      if (!account.isActive) return 'inactive'
      return (await sql`update accounts set note = ${note}, updated_at = now() where id = ${id} returning *`)[0]
    }),

    transfer: (transfer) => sql.begin(async (sql) => {
      const { from, to } = transfer
      const balances = balancesAfter(await sql`select id, balance from accounts where id in (${from}, ${to}) order by id for update`, transfer)
      if (balances === undefined) return undefined
      // Statements that are awaited together are pipelined.
      await Promise.all([from, to].map((id, index) => sql`update accounts set balance = ${index === 0 ? balances.from : balances.to}, updated_at = now() where id = ${id}`))
      return balances
    })
  }
}

function rowOf (values) {
  const given = valuesOf(values)
  return Object.fromEntries(columns.map((name, index) => [name, given[index]]))
}
