import { integer, pgTable } from 'drizzle-orm/pg-core'
import t from 'tap'
import { audit, auditSql } from '../../../src/index.js'
import { each, misuse, optional, options, takes } from '../../helpers/misuse.js'

/** A table that has no audit yet. */
const fresh = () => pgTable('fresh', { id: integer().primaryKey(), title: integer() })

const audits = {
  'audit(_)': takes((x) => audit(x), 'table'),
  'audit(table, _)': takes((x) => audit(fresh(), x), ...options),
  ...each(['mask', 'ignore'], (key) => `audit(table, { ${key}: _ })`, (key) => takes((x) => audit(fresh(), { [key]: x }), ...optional, '[]')),
  ...each(['tenant', 'name'], (key) => `audit(table, { ${key}: _ })`, (key) => takes(
    (x) => audit(fresh(), { [key]: x }),
    ...optional,
    ...key === 'name' ? ['text'] as const : ['name'] as const
  )),
  'audit(table, { mask: [_] })': takes((x) => audit(fresh(), { mask: [x] }), 'name'),
  'audit(table, { settings: _ })': takes((x) => audit(fresh(), { settings: x }), ...options),
  'audit(table, { settings: { actor: _ } })': takes((x) => audit(fresh(), { settings: { actor: x } }), ...optional),
  'auditSql(_)': takes((x) => auditSql(x)),
  'auditSql(history, _)': takes((x) => auditSql(audit(fresh()), x), ...options),
  'auditSql(history, { casing: _ })': takes((x) => auditSql(audit(fresh()), { casing: x }), ...optional)
}

for (const [title, row] of Object.entries(audits)) {
  t.test(`${title} says what is wrong with every mistake`, async (t) => {
    t.strictSame(await misuse(row), [])
  })
}
