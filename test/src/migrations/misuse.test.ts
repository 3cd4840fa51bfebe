import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { ConnectionError, MigrationError } from '../../../src/index.js'
import * as migrations from '../../../src/migrations/index.js'
import { each, missing, optional, options, refuses, takes } from '../../helpers/misuse.js'
import type { Mistake, Row } from '../../helpers/misuse.js'

const {
  checkMigrations, createMigration, getCurrentMigration, getMigrationHistory, getPendingMigrations, lintMigrations, proveMigrations, rollbackMigrations,
  runMigrations, upgradeMigrations, writeDownFiles
} = migrations
delete process.env['DATABASE_URL']

/** A database and a folder that do not exist. The options are checked before either is used. */
const nowhere = { connectionString: 'postgresql://nobody@127.0.0.1:1/none', folder: join(mkdtempSync(join(tmpdir(), 'misuse-')), 'none') }

/** Passes unless the call is refused for its options. */
async function begun (work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof ConnectionError || error instanceof MigrationError)) throw error
  }
}

const functions = {
  checkMigrations, getCurrentMigration, getMigrationHistory, getPendingMigrations, lintMigrations, rollbackMigrations, runMigrations, upgradeMigrations
}

/** The values that each option accepts. An unknown option accepts none. */
const common = {
  connectionString: [],
  database: optional,
  folder: [...optional, 'text'],
  table: [...optional, 'text'],
  lockTimeoutSeconds: [...optional, '0'],
  unknown: []
} as const
const runner = {
  ...common,
  dryRun: [...optional, 'false'],
  statementLockTimeoutSeconds: optional,
  lockRetries: [...optional, '0'],
  signal: optional,
  onProgress: [...optional, 'function'],
  onWait: [...optional, 'function'],
  to: [...optional, 'text']
} as const
const model = { schema: [...options, 'strange', 'foreign', 'schema'], casing: optional } as const
const known: Record<keyof typeof functions, Readonly<Record<string, readonly Mistake[]>>> = {
  checkMigrations: { ...common, ...model, schemas: [...optional, 'text', '[]'], constraints: [...optional, '[]'] },
  getCurrentMigration: common,
  getMigrationHistory: common,
  getPendingMigrations: common,
  lintMigrations: { ...common, migrations: optional },
  rollbackMigrations: { ...runner, schemas: optional, searchPath: optional, steps: optional, confirmIrreversible: [...optional, 'false'] },
  runMigrations: { ...runner, schemas: [...optional, 'text', '[]'], searchPath: optional },
  // The folder is read first, and a database is not needed.
  upgradeMigrations: { ...common, connectionString: [...optional, "''", 'text'], write: [...optional, 'false'], back: [...optional, 'false'] }
}
const create = {
  ...model,
  message: ['text'],
  folder: [...optional, 'text'],
  autogenerate: [...optional, 'false'],
  prefix: [...optional, 'text'],
  breakpoints: [...optional, 'false'],
  renames: [...options, 'strange', 'foreign'],
  terminal: optional,
  signal: optional,
  unknown: []
} as const
const downFiles = { folder: [...optional, 'text'], onProgress: [...optional, 'function'], unknown: [] } as const

const lock = join(mkdtempSync(join(tmpdir(), 'misuse-')), 'statements.lock')
writeFileSync(lock, '')
/** The locks of other names do not exist. */
const prove = {
  connectionString: [...optional, 'text', "''"],
  database: optional,
  folder: [...optional, 'text'],
  table: [...optional, 'text'],
  lock: ['name'],
  newLock: [...optional, 'name'],
  from: [...optional, 'text'],
  first: optional,
  role: [...optional, 'text'],
  sql: [...optional, 'text'],
  accept: [...optional, '[]'],
  signal: optional,
  unknown: []
} as const

function rowsOf (
  name: string,
  call: (options: never) => Promise<unknown>,
  { given, works }: { given: object, works: Readonly<Record<string, readonly Mistake[]>> }
): Record<string, Row> {
  return {
    [`${name}(_)`]: takes((x) => begun(call(x))),
    ...each(Object.keys(works), (key) => `${name}({ ${key}: _ })`, (key) => takes((x) => begun(call({ ...given, [key]: x } as never)), ...works[key] ?? []))
  }
}

const rows: Record<string, Row> = {
  ...Object.assign(
    {},
    ...Object.entries(functions).map(([name, call]) => rowsOf(name, call, { given: nowhere, works: known[name as keyof typeof functions] }))
  ),
  'new SchemaMigrationError(_)': takes((x) => new migrations.SchemaMigrationError(x), '[]'),
  'upgradeMigrations(_)': takes((x) => begun(upgradeMigrations(x)), ...options),
  ...rowsOf('writeDownFiles', writeDownFiles, { given: { folder: nowhere.folder }, works: downFiles }),
  'writeDownFiles(_)': takes((x) => begun(writeDownFiles(x)), ...options),
  ...rowsOf('proveMigrations', proveMigrations, { given: { ...nowhere, lock, from: '0000_users_and_posts' }, works: prove }),
  'proveMigrations(_)': takes((x) => begun(proveMigrations(x))),
  ...rowsOf('createMigration', createMigration, { given: { message: 'm', folder: nowhere.folder }, works: create })
}

t.test('every function refuses a bad option with a reason, before it uses a database or a folder', (t) => refuses(t, rows))

t.test('every export has a row', async (t) => t.strictSame(missing(Object.keys(migrations), rows), []))

t.test('every function accepts the options that locate the migrations', async (t) => {
  const where = { ...nowhere, table: 'drizzle.noted', lockTimeoutSeconds: 1, schema: {}, casing: 'snake_case' } as const

  for (const [name, call] of Object.entries({ ...functions, writeDownFiles })) await t.resolves(begun((call as typeof checkMigrations)(where)), name)
  await t.resolves(begun(createMigration({ ...where, message: 'first' })), 'createMigration')
})
