import { boolean, index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import dataAccess, { timestamps } from 'fastify-data-access'

export const accounts = pgTable('accounts', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  email: text().notNull(),
  balance: integer().notNull().default(0),
  isActive: boolean().notNull().default(true),
  settings: jsonb().notNull().default({}),
  note: text(),
  ...timestamps()
}, (table) => [index().on(table.createdAt, table.id)])

/** fastify-data-access with its defaults, and the same pool size as all peers. */
export async function open (fastify, { connectionString, poolSize, pool = {}, transaction = {} }) {
  await fastify.register(dataAccess, { connectionString, schema: { accounts }, casing: 'snake_case', pool: { size: poolSize, maxOverflow: 0, ...pool }, transaction })

  return {
    read: ({ id }, request) => request.repo(accounts).get(id),
    list: ({ limit }, request) => request.repo(accounts).getAll({ limit, orderBy: { createdAt: 'desc', id: 'desc' } }),
    create: (values, request) => request.repo(accounts).create(values),
    createMany: (rows, request) => request.repo(accounts).createMany(rows),

    async update ({ id, note }, request) {
      const account = await request.repo(accounts).get(id)
      if (account === undefined) return undefined
      if (!account.isActive) return 'inactive'
      return request.repo(accounts).update(id, { note })
    },

    async transfer ({ from, to, amount }, request) {
      const repository = request.repo(accounts)
      const locked = await repository.filter({ id: { in: [from, to] } }, { columns: ['id', 'balance'], orderBy: { id: 'asc' }, lock: 'update' })
      const payer = locked.find(({ id }) => id === from)
      const payee = locked.find(({ id }) => id === to)
      if (payer === undefined || payee === undefined || payer.balance < amount) return undefined
      // Statements that are awaited together are sent together. Nobody reads the written rows, and updateMany() returns none.
      await Promise.all([
        repository.updateMany({ id: from }, { balance: payer.balance - amount }),
        repository.updateMany({ id: to }, { balance: payee.balance + amount })
      ])
      return { from: payer.balance - amount, to: payee.balance + amount }
    }
  }
}
