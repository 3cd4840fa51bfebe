import { count, eq, gte, sql } from 'drizzle-orm'
import type { FastifyInstance } from 'fastify'
import { customers, invoices } from './schema.js'

export async function reports (server: FastifyInstance) {
  // One value: a method of the repository.
  server.get<{ Params: { id: number } }>('/customers/:id/balance', async (request) => {
    const customerId = Number(request.params.id)
    const [billed, paid] = await Promise.all([
      request.repo(invoices).sum('cents', { customerId }),
      request.repo(invoices).sum('paidCents', { customerId })
    ])
    return { cents: (billed ?? 0) - (paid ?? 0) }
  })

  // One row for each group: a query of Drizzle, whose rows are typed.
  server.get<{ Querystring: { since: string } }>('/reports/customers', (request) => request.db.drizzle
    .select({
      name: customers.name,
      invoices: count(),
      cents: sql`sum(${invoices.cents})`.mapWith(Number)
    })
    .from(invoices)
    .innerJoin(customers, eq(customers.id, invoices.customerId))
    .where(gte(invoices.issuedAt, new Date(request.query.since)))
    .groupBy(customers.id)
    .orderBy(customers.name))

  // What Drizzle has no words for: SQL, whose values are parameters.
  server.get<{ Querystring: { since: string } }>('/reports/months', async (request) => {
    const { rows } = await request.db.execute<{ month: string, cents: number, total: number }>(sql`
      select to_char(issued_at at time zone 'UTC', 'YYYY-MM') as month, sum(cents)::int as cents,
             sum(sum(cents)) over (order by min(issued_at))::int as total
      from ${invoices} where ${invoices.issuedAt} >= ${request.query.since}::timestamptz
      group by month order by month`)
    return rows
  })
}
