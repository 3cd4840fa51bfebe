import { plugin as sqlMapper } from '@platformatic/sql-mapper'

/** Platformatic's entities with `db.tx`: https://docs.platformatic.dev/docs/reference/sql-mapper/entities/transactions */
export async function open (fastify, { connectionString, poolSize, plainReads }) {
  await fastify.register(sqlMapper, { connectionString, poolSize, idleTimeoutMilliseconds: 24 * 60 * 60 * 1000 })
  const { db, sql, entities: { account: accounts } } = fastify.platformatic
  const reading = (fn) => plainReads ? fn() : db.tx(fn)
  const find = async (id, tx) => (await accounts.find({ where: { id: { eq: id } }, tx }))[0]

  return {
    read: ({ id }) => reading((tx) => find(id, tx)),
    list: ({ limit }) => reading((tx) => accounts.find({ orderBy: [{ field: 'createdAt', direction: 'desc' }, { field: 'id', direction: 'desc' }], limit, tx })),
    create: (input) => db.tx((tx) => accounts.save({ input, tx })),
    createMany: (inputs) => db.tx((tx) => accounts.insert({ inputs, tx })),

    update: ({ id, note }) => db.tx(async (tx) => {
      const account = await find(id, tx)
      if (account === undefined) return undefined
      if (!account.isActive) return 'inactive'
      return accounts.save({ input: { id, note }, tx })
    }),

    // Entities have no row locks, so the locks use SQL.
    transfer: ({ from, to, amount }) => db.tx(async (tx) => {
      const locked = await tx.query(sql`select id, balance from accounts where id in (${from}, ${to}) order by id for update`)
      const payer = locked.find(({ id }) => id === from)
      const payee = locked.find(({ id }) => id === to)
      if (payer === undefined || payee === undefined || payer.balance < amount) return undefined
      await accounts.save({ input: { id: from, balance: payer.balance - amount }, tx })
      await accounts.save({ input: { id: to, balance: payee.balance + amount }, tx })
      return { from: payer.balance - amount, to: payee.balance + amount }
    })
  }
}
