import { defineEntity, LockMode, MikroORM, p, RequestContext } from '@mikro-orm/postgresql'

const Account = defineEntity({
  name: 'Account',
  tableName: 'accounts',
  properties: {
    id: p.integer().primary(),
    name: p.text(),
    email: p.text(),
    balance: p.integer().default(0),
    isActive: p.boolean().default(true),
    settings: p.json().onCreate(() => ({})),
    note: p.text().nullable().onCreate(() => null),
    createdAt: p.datetime(3).onCreate(() => new Date()),
    updatedAt: p.datetime(3).onCreate(() => new Date()).onUpdate(() => new Date())
  }
})

/**
 * MikroORM's unit of work: an entity manager for each request, reads without a transaction, and one around `flush`.
 * https://mikro-orm.io/docs/guide/project-setup, https://mikro-orm.io/docs/transactions
 */
export async function open (fastify, { connectionString, poolSize }) {
  const orm = await MikroORM.init({ entities: [Account], clientUrl: connectionString, pool: { min: poolSize, max: poolSize, idleTimeoutMillis: 0 }, ensureDatabase: false })
  fastify.addHook('onRequest', (_request, _reply, done) => { RequestContext.create(orm.em, done) })
  fastify.addHook('onClose', () => orm.close())

  return {
    read: async ({ id }) => await orm.em.findOne(Account, id) ?? undefined,
    list: ({ limit }) => orm.em.find(Account, {}, { orderBy: { createdAt: 'desc', id: 'desc' }, limit }),

    async create (values) {
      const account = orm.em.create(Account, values)
      await orm.em.flush()
      return account
    },

    async createMany (rows) {
      const accounts = rows.map((values) => orm.em.create(Account, values))
      await orm.em.flush()
      return accounts
    },

    async update ({ id, note }) {
      const account = await orm.em.findOne(Account, id)
      if (account === null) return undefined
      if (!account.isActive) return 'inactive'
      account.note = note
      await orm.em.flush()
      return account
    },

    transfer: ({ from, to, amount }) => orm.em.transactional(async (em) => {
      const locked = await em.find(Account, { id: [from, to] }, { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE })
      const payer = locked.find(({ id }) => id === from)
      const payee = locked.find(({ id }) => id === to)
      if (payer === undefined || payee === undefined || payer.balance < amount) return undefined
      payer.balance -= amount
      payee.balance += amount
      await em.flush()
      return { from: payer.balance, to: payee.balance }
    })
  }
}
