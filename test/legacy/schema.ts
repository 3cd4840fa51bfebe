import { sql } from 'drizzle-orm'
import {
  bigint, bigserial, boolean, check, customType, date, foreignKey, integer, jsonb, numeric, pgEnum, pgSchema, pgTable, pgView, primaryKey, real, smallint, text,
  timestamp, unique, uuid, varchar
} from 'drizzle-orm/pg-core'

export const legacy = pgSchema('legacy')

const legacyPercent = customType<{ data: string }>({ dataType: () => 'legacy.percent' })
const tstzrange = customType<{ data: string }>({ dataType: () => 'tstzrange' })

export const orderState = pgEnum('Order State', ['new', 'paid', 'it\'s gone'])

export const activeCustomers = pgView('Active Customers', {
  id: bigint('ID', { mode: 'bigint' }),
  firstName: text('First Name'),
  eMail: varchar('E-Mail', { length: 200 })
}).existing()

export const changeLog = pgTable('Change Log', {
  id: bigint('id', { mode: 'bigint' }).generatedAlwaysAsIdentity().primaryKey(),
  at: timestamp('at', { withTimezone: true, mode: 'string' }).notNull().default(sql`clock_timestamp()`),
  table: text('table').notNull(),
  what: jsonb('what')
})

export const customers = pgTable('Customers', {
  id: bigint('ID', { mode: 'bigint' }).generatedByDefaultAsIdentity().primaryKey(),
  firstName: text('First Name').notNull(),
  eMail: varchar('E-Mail', { length: 200 }).notNull(),
  order: integer('order').notNull().default(sql`0`),
  created: timestamp('created', { mode: 'string' }).notNull().default(sql`now()`),
  modified: timestamp('modified', { precision: 6, mode: 'string' }).notNull().default(sql`now()`),
  removedOn: timestamp('REMOVED ON', { withTimezone: true, mode: 'string' })
}, (table) => [
  unique('Customers_E-Mail_key').on(table.eMail)
])

export const itSAName = pgTable('it\'s a "name"', {
  key1: text('key "1"').primaryKey(),
  itS: text('it\'s'),
  upper: boolean('UPPER').notNull().default(sql`false`)
})

export const order = pgTable('order', {
  id: bigserial('id', { mode: 'bigint' }).primaryKey(),
  customer: bigint('customer', { mode: 'bigint' }).notNull(),
  state: orderState('state').notNull().default(sql`'new'::public."Order State"`),
  placed: timestamp('placed', { withTimezone: true, mode: 'string' }).notNull().default(sql`clock_timestamp()`),
  total: numeric('total', { precision: 12, scale: 2 }).notNull().default(sql`0`),
  lockVersion: integer('lock_version').notNull().default(sql`0`)
}, (table) => [
  foreignKey({ name: 'order_customer_fkey', columns: [table.customer], foreignColumns: [customers.id] }),
  check('order_total_check', sql`(total >= (0)::numeric)`)
])

export const orderLines = pgTable('order lines', {
  order: bigint('order', { mode: 'bigint' }).notNull(),
  line: smallint('line #').notNull(),
  select: text('select').notNull(),
  price: numeric('price', { precision: 12, scale: 2 }).notNull(),
  quantity: integer('quantity').notNull().default(sql`1`),
  amount: numeric('amount', { precision: 14, scale: 2 }).generatedAlwaysAs(sql`(price * (quantity)::numeric)`)
}, (table) => [
  foreignKey({ name: 'order lines_order_fkey', columns: [table.order], foreignColumns: [order.id] }).onDelete('cascade'),
  primaryKey({ name: 'order lines_pkey', columns: [table.order, table.line] })
])

export const tags = pgTable('tags', {
  id: uuid('id').default(sql`gen_random_uuid()`).primaryKey(),
  labels: text('labels').array().notNull().default(sql`'{}'::text[]`),
  moods: orderState('moods').array(),
  weight: real('weight').notNull().default(sql`1`)
})

export const accounts = legacy.table('accounts', {
  number: bigint('number', { mode: 'bigint' }).primaryKey(),
  owner: bigint('owner', { mode: 'bigint' }),
  balance: numeric('balance', { precision: 14, scale: 2 }).notNull().default(sql`0`),
  rate: legacyPercent('rate'),
  revision: bigint('revision', { mode: 'bigint' }).notNull().default(sql`1`),
  opened: date('opened', { mode: 'string' }).notNull().default(sql`CURRENT_DATE`)
}, (table) => [
  foreignKey({ name: 'accounts_owner_fkey', columns: [table.owner], foreignColumns: [customers.id] })
])

export const bookings = legacy.table('bookings', {
  id: integer('id').generatedByDefaultAsIdentity().primaryKey(),
  room: integer('room').notNull(),
  during: tstzrange('during').notNull()
})

export const events = legacy.table('events', {
  id: bigint('id', { mode: 'bigint' }).notNull(),
  happened: timestamp('happened', { withTimezone: true, mode: 'string' }).notNull(),
  payload: jsonb('payload').notNull().default(sql`'{}'::jsonb`)
}, (table) => [
  primaryKey({ name: 'events_pkey', columns: [table.id, table.happened] })
])

export const ledger = legacy.table('ledger', {
  id: bigint('id', { mode: 'bigint' }).generatedAlwaysAsIdentity().primaryKey(),
  account: bigint('account', { mode: 'bigint' }).notNull(),
  amount: numeric('amount', { precision: 14, scale: 2 }).notNull(),
  booked: timestamp('booked', { precision: 6, mode: 'string' }).notNull().default(sql`clock_timestamp()`),
  note: text('note').notNull().default(sql`''::text`)
}, (table) => [
  foreignKey({ name: 'ledger_account_fkey', columns: [table.account], foreignColumns: [accounts.number] })
])

export const totals = legacy.materializedView('totals', {
  account: bigint('account', { mode: 'bigint' }),
  total: numeric('total')
}).existing()
