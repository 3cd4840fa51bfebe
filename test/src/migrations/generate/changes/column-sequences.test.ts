import { bigint, bigserial, integer, pgTable, serial, smallint, smallserial, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { travel } from '../round-trip.js'

const long = 'a_table_with_a_rather_long_name_whose_sequence_has_to_be_cut'

const kinds = {
  integer: () => integer().notNull(),
  bigint: () => bigint({ mode: 'number' }).notNull(),
  smallint: () => smallint().notNull(),
  serial: () => serial(),
  bigserial: () => bigserial({ mode: 'number' }),
  smallserial: () => smallserial(),
  always: () => integer().generatedAlwaysAsIdentity(),
  byDefault: () => bigint({ mode: 'number' }).generatedByDefaultAsIdentity({ startWith: 5, cache: 1, cycle: true }),
  named: () => integer().generatedAlwaysAsIdentity({ name: 'own_name', cache: 2 }),
  down: () => integer().generatedByDefaultAsIdentity({ increment: -1, startWith: -1 })
}

const pairs = [
  ['integer', 'byDefault'], ['integer', 'serial'], ['integer', 'down'], ['bigint', 'always'], ['serial', 'always'], ['byDefault', 'serial'],
  ['serial', 'bigserial'], ['serial', 'bigint'],
  ['smallserial', 'byDefault'], ['bigserial', 'integer'], ['always', 'byDefault'], ['always', 'named'], ['always', 'smallint'], ['down', 'integer'],
  ['serial', 'serial']
] as const

const isPlain = (kind: string) => /int/.test(kind)

t.test('serial and identity columns continue counting across every change of kind', async (t) => {
  const names = pairs.map(([from, to], index) => `${from}_${to}${index % 2 === 0 ? '' : `_${long}`}`.toLowerCase().slice(0, 60))
  const model = (which: 0 | 1) => Object.fromEntries(pairs.map((pair, index) => {
    // The column that does not change gets a table that does.
    const extra = which === 1 && pair[0] === pair[1] ? { more: text() } : {}
    return [`t${index}`, pgTable(names[index]!, { id: (kinds[pair[which]]() as ReturnType<typeof integer>).primaryKey(), name: text(), ...extra })]
  }))
  const fill = (which: 0 | 1, rows: string) => pairs.map((pair, index) => isPlain(pair[which])
    ? `insert into ${names[index]} values ${rows.split(' ').map((row) => `(${row}, 'a')`).join(', ')}`
    : `insert into ${names[index]} (name) values ${rows.split(' ').map(() => "('a')").join(', ')}`).join('; ')
  await travel(t, {
    from: model(0),
    to: model(1),
    fill: fill(0, '1 2 30'),
    kept: names.map((name) => `select '${name}' as t, id::text, name from ${name}`).join(' union all ') + ' order by 1, 2',
    // Numbers that are taken are not given away.
    next: fill(1, '99 98'),
    former: fill(0, '99 98')
  })
})

t.test('the sequence of a new serial column has PostgreSQL\'s name for it, however long', async (t) => {
  const [long, wide] = ['a_column_with_a_rather_long_name_whose_sequence_has_to_be_cut', `${'é'.repeat(30)}x`] as const
  await travel(t, {
    from: { t: pgTable('t', { id: integer().primaryKey(), [long]: integer().notNull(), [wide]: integer().notNull() }) },
    to: { t: pgTable('t', { id: integer().primaryKey(), [long]: serial(), [wide]: serial() }) },
    fill: 'insert into t values (1, 5, 6)',
    kept: 'select * from t order by id',
    next: 'insert into t (id) values (2)'
  })
})
