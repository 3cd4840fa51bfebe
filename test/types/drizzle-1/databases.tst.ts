import { defineRelations } from 'drizzle-orm'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'tstyche'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Database, Scope, Session } from '../../../plugins/index.js'

const invoices = pgTable('invoices', { id: integer().primaryKey(), amount: integer().notNull() })

const items = pgTable('items', { id: integer().primaryKey(), invoiceId: integer().notNull() })

export const relations = defineRelations({ invoices, items }, (r) => ({
  invoices: { items: r.many.items() },
  items: { invoice: r.one.invoices({ from: r.items.invoiceId, to: r.invoices.id, optional: false }) }
}))

declare module '../../../src/drizzle/types/registered-schema.js' {
  interface Register { databases: { billing: { relations: typeof relations } } }
}

type Invoice = typeof invoices.$inferSelect

declare const server: FastifyInstance
declare const request: FastifyRequest

describe('several databases', () => {
  test('have their names, and the queries of their own schema', () => {
    expect(request.databases.default).type.toBe<Session>()
    expect(server.databases.default).type.toBe<Database>()
    expect(request.databases.billing.drizzle.query.invoices.findFirst()).type.toBeAssignableTo<PromiseLike<Invoice | undefined>>()
    expect(server.databases.billing.drizzle.query.invoices.findMany()).type.toBeAssignableTo<PromiseLike<Invoice[]>>()
    expect(request.db.drizzle.query).type.not.toHaveProperty('invoices')
    expect(request.databases).type.not.toHaveProperty('biling')
    expect(request.databases.billing.outcome).type.toBe<Session['outcome']>()
  })

  test('have repositories and nested scopes', () => {
    expect(request.repo(invoices).get(1)).type.toBe<Promise<Invoice | undefined>>()
    expect(request.databases.billing.repo(invoices).get(1)).type.toBe<Promise<Invoice | undefined>>()
    request.databases.billing.transaction((scope) => {
      expect(scope.drizzle.query).type.toHaveProperty('invoices')
      expect(scope.repo).type.toBe<Scope['repo']>()
    })
  })

  test('have the relations of their own schema', () => {
    const related = request.repo(invoices).with({ items: { columns: { id: true } } })
    expect(related.getOrThrow(1)).type.toBe<Promise<{ id: number, amount: number, items: Array<{ id: number }> }>>()
    expect(request.repo(invoices).with).type.not.toBeCallableWith({ item: true })
    expect(request.repo(items).with({ invoice: true }).getAll()).type.toBeAssignableTo<Promise<Array<{ id: number, invoice: Invoice }>>>()
  })
})
