import { sql } from 'drizzle-orm'
import { check, integer, pgTable, text } from 'drizzle-orm/pg-core'
import type { FastifyInstance } from 'fastify'
import { increment } from '../../plugins/index.js'
import { payment, type Payment } from './idempotent-payments.js'

export const bills = pgTable('bills', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  cents: integer().notNull(),
  paidCents: integer('paid_cents').notNull().default(0)
}, (table) => [check('bills_not_overpaid', sql`${table.paidCents} <= ${table.cents}`)])

export const billPayments = pgTable('bill_payments', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  key: text().notNull().unique(),
  billId: integer('bill_id').notNull().references(() => bills.id),
  cents: integer().notNull()
})

/** Words for clients: `register(dataAccess, { errors: { constraints } })`. */
export const billConstraints = { bills_not_overpaid: { status: 409, code: 'OVERPAID', message: 'This is more than is due' } }

export async function paymentsWithKeys (server: FastifyInstance) {
  server.post<Payment>('/bills/:id/payments', { schema: payment }, async (request, reply) => {
    const { id: billId } = await request.repo(bills).getOrThrow(request.params.id)
    const { cents } = request.body
    // A second request with this key waits here until the first has ended.
    const { row, created } = await request.repo(billPayments).getOrCreate({ key: request.headers['idempotency-key'] }, { billId, cents })
    if (row.billId !== billId || row.cents !== cents) return reply.code(422).send({ message: 'This key belongs to another request' })
    if (created) await request.repo(bills).update(billId, { paidCents: increment(cents) })
    return reply.code(201).send(row)
  })
}
