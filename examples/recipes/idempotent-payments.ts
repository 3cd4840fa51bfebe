import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { increment } from '../../plugins/index.js'
import { idempotencyKeys, invoices, payments } from './schema.js'

export const payment = {
  headers: { type: 'object', required: ['idempotency-key'], properties: { 'idempotency-key': { type: 'string', minLength: 8, maxLength: 100 } } },
  params: { type: 'object', properties: { id: { type: 'integer' } } },
  body: { type: 'object', required: ['cents'], additionalProperties: false, properties: { cents: { type: 'integer', minimum: 1 } } }
}

export interface Payment {
  Headers: { 'idempotency-key': string }
  Params: { id: number }
  Body: { cents: number }
}

export async function idempotentPayments (server: FastifyInstance) {
  server.post<Payment>('/invoices/:id/payments', { schema: payment }, async (request, reply) => {
    const key = request.headers['idempotency-key']
    const { id } = request.params
    const { cents } = request.body
    const fingerprint = createHash('sha256').update(JSON.stringify([request.routeOptions.url, id, cents])).digest('hex')

    // A second request with this key waits here until the first has ended.
    const { row: earlier, created } = await request.repo(idempotencyKeys).getOrCreate({ key }, { request: fingerprint })
    if (!created) {
      if (earlier.request !== fingerprint) return reply.code(422).send({ message: 'This key belongs to another request' })
      return reply.code(Number(earlier.status)).send(earlier.reply)
    }

    const invoice = await request.repo(invoices).getOrThrow(id, { lock: 'update' })
    if (invoice.paidCents + cents > invoice.cents) return reply.code(409).send({ message: 'This is more than is due' })
    const paid = await request.repo(payments).create({ invoiceId: id, cents })
    await request.repo(invoices).update(id, { paidCents: increment(cents) })

    await request.repo(idempotencyKeys).update(key, { status: 201, reply: paid })
    return reply.code(201).send(paid)
  })
}
