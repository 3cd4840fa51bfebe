import t from 'tap'
import { explain } from '../../../src/pooler/unreachable.js'
import { sqlStates } from '../../../src/errors/sqlstate-codes.js'
import { SettingsError } from '../../../src/index.js'
import { environmentSchema, readVariables } from '../../../src/settings/environment.js'
import { settingRows } from '../../../src/settings/setting-table.js'
import { projectRoot, readTree } from '../../house/source-files.js'
import type { SettingRow } from '../../../src/settings/setting-table.js'

/** The variables in a text that do not begin with the prefix of `billing`. */
const foreign = (text: string): string[] => [...text.matchAll(/(?<!BILLING_)\bDATABASE_[A-Z_]+/g)].map(([name]) => name)

t.test('why a named database is out of reach is told with its own variables', async (t) => {
  const refusals = [
    'unsupported startup parameter: lock_timeout', 'unsupported startup parameter: options', 'password authentication failed', 'no such database: shop',
    'no more connections allowed (max_client_conn)', 'query_wait_timeout', 'server login has been failing', 'database "app" is disabled', 'something else'
  ]
  const codes = [...Object.values(sqlStates), 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'ENOENT', 'DEPTH_ZERO_SELF_SIGNED_CERT', undefined]
  const failures = [
    ...refusals.map((message) => Object.assign(new Error(message), { code: sqlStates.protocolViolation })),
    ...codes.map((code) => Object.assign(new Error('refused'), { code }))
  ]
  const variables = new Set<string>()
  for (const failure of failures) {
    const { message } = explain(failure, 'billing')
    t.strictSame(foreign(message), [], message)
    t.equal(message.replaceAll('BILLING_', ''), explain(failure, 'default').message)
    for (const [variable] of message.matchAll(/\w+DATABASE_[A-Z_]+/g)) variables.add(variable)
  }
  t.strictSame([...variables].sort(), ['BILLING_DATABASE_MAX_OVERFLOW', 'BILLING_DATABASE_POOLER', 'BILLING_DATABASE_POOL_SIZE', 'BILLING_DATABASE_URL'])
})

t.test('each variable of a named database is refused, and described, by its own name', async (t) => {
  const rows: readonly SettingRow[] = settingRows
  const variables = rows.flatMap(({ variable }) => variable ?? []).map((variable) => `BILLING_${variable}`)
  t.ok(variables.length > 15)
  for (const variable of variables) {
    try {
      readVariables({ [variable]: Symbol('bad') as never }, 'BILLING_')
      t.fail(variable)
    } catch (error) {
      t.ok(error instanceof SettingsError && error.setting === variable, variable)
      t.strictSame(foreign(String(error)), [], String(error))
    }
  }
  t.strictSame(foreign(JSON.stringify(environmentSchema('BILLING_'))), [])
})

/** The files that write variables out, and why they may. */
const exempt = [
  /^src\/settings\/(setting-table|environment|client-config|database-name)\.ts$/, // the names of the variables themselves, or a default
  /^src\/migrations\/(cli\/|history\/migration-client\.ts)/, // the command knows no names of databases
  /^src\/init\//, // the service that it makes has one database
  /^src\/testing\// // the server for tests
]

t.test('every text with a variable passes withVariablesOf()', async (t) => {
  const files = readTree(projectRoot).filter(({ path }) => /^(src|plugins)\/.*\.ts$/.test(path) && !exempt.some((which) => which.test(path)))
  const writing = files.filter(({ text }) => /['"`][^'"`\n]*(?<![\w}])DATABASE_[A-Z]/.test(text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')))
  t.ok(writing.length > 3)
  t.strictSame(writing.filter(({ text }) => !text.includes('withVariablesOf(')).map(({ path }) => path), [])
})
