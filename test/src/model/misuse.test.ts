import { timestamp } from 'drizzle-orm/pg-core'
import t from 'tap'
import { softDelete, timestamps, version } from '../../../src/model/columns.js'
import { asDeletedAt, asUpdatedAt, asVersion } from '../../../src/model/own-columns.js'
import { each, optional, options, refuses, takes } from '../../helpers/misuse.js'

const columns = {
  'timestamps(_)': takes((x) => timestamps(x), ...options),
  ...each(['createdAt', 'updatedAt'], (key) => `timestamps({ ${key}: _ })`, (key) => takes((x) => timestamps({ [key]: x }), ...optional, 'false', 'text')),
  'timestamps({ precision: _ })': takes((x) => timestamps({ precision: x }), ...optional, 'null', '0'),
  'softDelete(_)': takes((x) => softDelete(x), ...options),
  'softDelete({ name: _ })': takes((x) => softDelete({ name: x }), ...optional, 'text'),
  'softDelete({ precision: _ })': takes((x) => softDelete({ precision: x }), ...optional, 'null', '0'),
  'softDelete({ filter: _ })': takes((x) => softDelete({ filter: x }), ...optional, 'false'),
  'version(_)': takes((x) => version(x), ...options),
  'version({ name: _ })': takes((x) => version({ name: x }), ...optional, 'text'),
  'asUpdatedAt(_)': takes((x) => asUpdatedAt(x)),
  'asDeletedAt(_)': takes((x) => asDeletedAt(x)),
  'asDeletedAt(column, _)': takes((x) => asDeletedAt(timestamp(), x), ...options),
  'asDeletedAt(column, { filter: _ })': takes((x) => asDeletedAt(timestamp(), { filter: x }), ...optional, 'false'),
  'asVersion(_)': takes((x) => asVersion(x))
}

t.test('every function for the columns of a table explains a bad argument', (t) => refuses(t, columns))
