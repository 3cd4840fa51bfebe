import { PrismaPg } from '@prisma/adapter-pg'
import { Prisma, PrismaClient } from '../dist/prisma/client.js'

const found = (row) => row ?? undefined

/** Prisma's interactive transactions, over its adapter for pg: https://www.prisma.io/docs/orm/prisma-client/queries/transactions */
export async function open (fastify, { connectionString, poolSize, plainReads }) {
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString, max: poolSize, idleTimeoutMillis: 0 }) })
  fastify.addHook('onClose', () => prisma.$disconnect())
  const reading = (fn) => plainReads ? fn(prisma) : prisma.$transaction(fn)

  return {
    read: ({ id }) => reading(async (tx) => found(await tx.account.findUnique({ where: { id } }))),
    list: ({ limit }) => reading((tx) => tx.account.findMany({ orderBy: [{ createdAt: 'desc' }, { id: 'desc' }], take: limit })),
    create: (data) => prisma.$transaction((tx) => tx.account.create({ data })),
    createMany: (data) => prisma.$transaction((tx) => tx.account.createManyAndReturn({ data })),

    update: ({ id, note }) => prisma.$transaction(async (tx) => {
      const account = await tx.account.findUnique({ where: { id } })
      if (account === null) return undefined
      if (!account.isActive) return 'inactive'
      return tx.account.update({ where: { id }, data: { note } })
    }),

    // Prisma has no row locks: its documentation uses SQL for them.
    transfer: ({ from, to, amount }) => prisma.$transaction(async (tx) => {
      const locked = await tx.$queryRaw(Prisma.sql`select id, balance from accounts where id in (${from}, ${to}) order by id for update`)
      const payer = locked.find(({ id }) => id === from)
      const payee = locked.find(({ id }) => id === to)
      if (payer === undefined || payee === undefined || payer.balance < amount) return undefined
      await tx.account.update({ where: { id: from }, data: { balance: payer.balance - amount } })
      await tx.account.update({ where: { id: to }, data: { balance: payee.balance + amount } })
      return { from: payer.balance - amount, to: payee.balance + amount }
    })
  }
}
