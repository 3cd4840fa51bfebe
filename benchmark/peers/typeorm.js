import 'reflect-metadata'
import { DataSource, EntitySchema, In } from 'typeorm'

const Account = new EntitySchema({
  name: 'Account',
  tableName: 'accounts',
  columns: {
    id: { type: 'integer', primary: true, generated: 'identity' },
    name: { type: 'text' },
    email: { type: 'text' },
    balance: { type: 'integer', default: 0 },
    isActive: { name: 'is_active', type: 'boolean', default: true },
    settings: { type: 'jsonb', default: {} },
    note: { type: 'text', nullable: true },
    createdAt: { name: 'created_at', type: 'timestamptz', precision: 3, createDate: true },
    updatedAt: { name: 'updated_at', type: 'timestamptz', precision: 3, updateDate: true }
  }
})

/** TypeORM's `dataSource.transaction`: https://typeorm.io/docs/advanced-topics/transactions */
export async function open (fastify, { connectionString, poolSize, plainReads }) {
  const dataSource = new DataSource({ type: 'postgres', url: connectionString, entities: [Account], poolSize, extra: { idleTimeoutMillis: 0 }, logging: false })
  await dataSource.initialize()
  fastify.addHook('onClose', () => dataSource.destroy())
  const transaction = (fn) => dataSource.transaction(fn)
  const reading = (fn) => plainReads ? fn(dataSource.manager) : transaction(fn)

  return {
    read: ({ id }) => reading(async (manager) => await manager.findOneBy(Account, { id }) ?? undefined),
    list: ({ limit }) => reading((manager) => manager.find(Account, { order: { createdAt: 'DESC', id: 'DESC' }, take: limit })),
    create: (values) => transaction((manager) => manager.save(Account, values)),
    createMany: (rows) => transaction((manager) => manager.save(Account, rows)),

    update: ({ id, note }) => transaction(async (manager) => {
      const account = await manager.findOneBy(Account, { id })
      if (account === null) return undefined
      if (!account.isActive) return 'inactive'
      account.note = note
      return manager.save(Account, account)
    }),

    transfer: ({ from, to, amount }) => transaction(async (manager) => {
      const locked = await manager.find(Account, { where: { id: In([from, to]) }, order: { id: 'ASC' }, lock: { mode: 'pessimistic_write' } })
      const payer = locked.find(({ id }) => id === from)
      const payee = locked.find(({ id }) => id === to)
      if (payer === undefined || payee === undefined || payer.balance < amount) return undefined
      payer.balance -= amount
      payee.balance += amount
      await manager.save(Account, [payer, payee])
      return { from: payer.balance, to: payee.balance }
    })
  }
}
