import t from 'tap'
import { openDatabase } from '../../../src/index.js'
import {
  checkMigrations, getCurrentMigration, getMigrationHistory, getPendingMigrations, lintMigrations, rollbackMigrations, runMigrations, upgradeMigrations
} from '../../../src/migrations/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { users, writeFolder } from './folder.js'
import type { MigrationOptions } from '../../../src/migrations/history/migration-options.js'

const nowhere = 'postgresql://ada:s3cret@127.0.0.1:1/shop'
const refused = 'The database could not be reached (ECONNREFUSED): nothing is listening there: start PostgreSQL, or correct the host and port'

const functions: Readonly<Record<string, (options: MigrationOptions & { folder: string }) => Promise<unknown>>> = {
  checkMigrations,
  getCurrentMigration,
  getMigrationHistory,
  getPendingMigrations,
  lintMigrations: (options) => lintMigrations({ ...options, migrations: 'pending' }),
  rollbackMigrations,
  runMigrations,
  'a dry run': (options) => runMigrations({ ...options, dryRun: true }),
  'runMigrations in schemas': (options) => runMigrations({ ...options, schemas: ['a', 'b'] }),
  upgradeMigrations
}

for (const [name, call] of Object.entries(functions)) {
  t.test(`${name} says why the database could not be reached, and what helps, without any part of the URL`, async (t) => {
    const folder = writeFolder(t.testdir({}), [users])
    await t.rejects(call({ connectionString: nowhere, folder }), {
      name: 'ConnectionError', code: 'DB_CONNECTION', message: refused, cause: { code: 'ECONNREFUSED' }, context: { operation: 'connect' }
    })
  })
}

t.test('names the variables of a database with a name', async (t) => {
  const folder = writeFolder(t.testdir({}), [users])
  const { connectionString } = await createTestDatabase(t)
  const database = await openDatabase({ name: 'billing', connectionString, directConnectionString: `${connectionString}?options=${encodeURIComponent('-c nosuch=1')}` })
  t.teardown(() => database.close())
  await t.rejects(runMigrations({ database, folder }), { message: /\(42704\): the server does not know a startup parameter: set BILLING_DATABASE_POOLER=/ })
})
