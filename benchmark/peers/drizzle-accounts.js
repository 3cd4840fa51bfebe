import { Pool } from 'pg'

/**
 * The operations of Drizzle, which are the same for both versions: `db.transaction`, https://orm.drizzle.team/docs/transactions
 *
 * @param {{ orm: object, core: object, connect: (pool: Pool) => object }} version the exports of `drizzle-orm` and `drizzle-orm/pg-core`, and `drizzle()` over a pool
 */
export function openWith ({ orm: { desc, eq, inArray }, core: { boolean, index, integer, jsonb, pgTable, text, timestamp }, connect }) {
  const time = (name) => timestamp(name, { withTimezone: true, precision: 3 }).notNull().defaultNow()

  const accounts = pgTable('accounts', {
    id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
    name: text('name').notNull(),
    email: text('email').notNull(),
    balance: integer('balance').notNull().default(0),
    isActive: boolean('is_active').notNull().default(true),
    settings: jsonb('settings').notNull().default({}),
    note: text('note'),
    createdAt: time('created_at'),
    updatedAt: time('updated_at').$onUpdate(() => new Date())
  }, (table) => [index().on(table.createdAt, table.id)])

  return async function open (fastify, { connectionString, poolSize, plainReads }) {
    const pool = new Pool({ connectionString, max: poolSize, idleTimeoutMillis: 0 })
    fastify.addHook('onClose', () => pool.end())
    const db = connect(pool)
    const reading = (fn) => plainReads ? fn(db) : db.transaction(fn)

    return {
      read: ({ id }) => reading(async (tx) => (await tx.select().from(accounts).where(eq(accounts.id, id)))[0]),
      list: ({ limit }) => reading((tx) => tx.select().from(accounts).orderBy(desc(accounts.createdAt), desc(accounts.id)).limit(limit)),
      create: (values) => db.transaction(async (tx) => (await tx.insert(accounts).values(values).returning())[0]),
      createMany: (rows) => db.transaction((tx) => tx.insert(accounts).values(rows).returning()),

      update: ({ id, note }) => db.transaction(async (tx) => {
        const [account] = await tx.select().from(accounts).where(eq(accounts.id, id))
        if (account === undefined) return undefined
        if (!account.isActive) return 'inactive'
        return (await tx.update(accounts).set({ note }).where(eq(accounts.id, id)).returning())[0]
      }),

      transfer: ({ from, to, amount }) => db.transaction(async (tx) => {
        const locked = await tx.select().from(accounts).where(inArray(accounts.id, [from, to])).orderBy(accounts.id).for('update')
        const payer = locked.find(({ id }) => id === from)
        const payee = locked.find(({ id }) => id === to)
        if (payer === undefined || payee === undefined || payer.balance < amount) return undefined
        await tx.update(accounts).set({ balance: payer.balance - amount }).where(eq(accounts.id, from))
        await tx.update(accounts).set({ balance: payee.balance + amount }).where(eq(accounts.id, to))
        return { from: payer.balance - amount, to: payee.balance + amount }
      })
    }
  }
}
