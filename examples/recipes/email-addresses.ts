import { sql } from 'drizzle-orm'
import { check, customType, integer, pgTable, text } from 'drizzle-orm/pg-core'
import type { FastifyInstance } from 'fastify'
import { crud, softDelete, uniqueLive } from '../../plugins/index.js'

/** Every value that is sent to the column is in lower case: of rows, of filters, and of keys. */
const emailAddress = customType<{ data: string }>({ dataType: () => 'text', toDriver: (address) => address.trim().toLowerCase() })

export const members = pgTable('members', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  email: emailAddress().notNull(),
  ...softDelete()
}, (table) => [uniqueLive(table.email), check('members_email_address', sql`${table.email} ~ '^[^@ A-Z]+@[^@ A-Z]+$'`)])

/** Words for clients: `register(dataAccess, { errors: { constraints } })`. */
export const constraints = {
  members_email_index: { status: 409, code: 'EMAIL_TAKEN', message: 'This address is taken' },
  members_email_address: { status: 400, code: 'EMAIL_INVALID', message: 'This is no e-mail address' }
}

export async function withMembers (server: FastifyInstance) {
  // GET /members?email=ADA@Example.com finds ada@example.com.
  await server.register(crud(members, {
    prefix: '/members', list: { filterable: ['email', 'name'], sortable: ['email'] }, get: true, create: ['name', 'email'], update: ['name', 'email'], remove: 'soft'
  }))
}
