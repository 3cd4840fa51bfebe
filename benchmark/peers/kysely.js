import { Kysely, PostgresDialect, sql } from 'kysely'
import { Pool } from 'pg'

const columns = ['id', 'name', 'email', 'balance', 'is_active as isActive', 'settings', 'note', 'created_at as createdAt', 'updated_at as updatedAt']

const rowOf = ({ isActive, ...values }) => isActive === undefined ? values : { ...values, is_active: isActive }

/** Kysely's `db.transaction().execute`: https://kysely.dev/docs/examples/transactions/simple-transaction */
export async function open (fastify, { connectionString, poolSize, plainReads }) {
  const db = new Kysely({ dialect: new PostgresDialect({ pool: new Pool({ connectionString, max: poolSize, idleTimeoutMillis: 0 }) }) })
  fastify.addHook('onClose', () => db.destroy())
  const transaction = (fn) => db.transaction().execute(fn)
  const reading = (fn) => plainReads ? fn(db) : transaction(fn)
  const select = (tx, id) => tx.selectFrom('accounts').select(columns).where('id', '=', id).executeTakeFirst()
  const update = (tx, id, values) => tx.updateTable('accounts').set({ ...values, updated_at: sql`now()` }).where('id', '=', id)

  return {
    read: ({ id }) => reading((tx) => select(tx, id)),
    list: ({ limit }) => reading((tx) => tx.selectFrom('accounts').select(columns).orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute()),
    create: (values) => transaction((tx) => tx.insertInto('accounts').values(rowOf(values)).returning(columns).executeTakeFirstOrThrow()),
    createMany: (rows) => transaction((tx) => tx.insertInto('accounts').values(rows.map(rowOf)).returning(columns).execute()),

    update: ({ id, note }) => transaction(async (tx) => {
      const account = await select(tx, id)
      if (account === undefined) return undefined
      if (!account.isActive) return 'inactive'
      return update(tx, id, { note }).returning(columns).executeTakeFirstOrThrow()
    }),

    transfer: ({ from, to, amount }) => transaction(async (tx) => {
      const locked = await tx.selectFrom('accounts').select(['id', 'balance']).where('id', 'in', [from, to]).orderBy('id').forUpdate().execute()
      const payer = locked.find(({ id }) => id === from)
      const payee = locked.find(({ id }) => id === to)
      if (payer === undefined || payee === undefined || payer.balance < amount) return undefined
      await update(tx, from, { balance: payer.balance - amount }).execute()
      await update(tx, to, { balance: payee.balance + amount }).execute()
      return { from: payer.balance - amount, to: payee.balance + amount }
    })
  }
}
