import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { figures } from '../../src/figures/figures.js'
import * as core from '../../src/index.js'
import { spanAttributeNames, statementEnd, statementStart, transactionEnd, transactionStart, waitAttributes } from '../../src/opentelemetry/span-attributes.js'
import { projectRoot } from './source-files.js'

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8')
const page = read('docs/telemetry-reference.md')

/** The rows of the table of a section, without its head. */
function rowsOf (section: string): string[] {
  const [, after = ''] = page.split(`\n## ${section}\n`)
  const [own = ''] = after.split('\n## ')
  return own.split('\n').filter((line) => line.startsWith('| `'))
}

/** The first cells of the rows of a section, sorted. */
function cellsOf (section: string, count: number): string[] {
  return rowsOf(section).map((row) => row.replaceAll('\\|', '¦').split(' | ').slice(0, count).join(' | ').replace(/^\| | \|$/g, '').replaceAll('¦', '|')).sort()
}

t.test('the reference lists each channel, and no other', async (t) => {
  const names = Array.from(read('src/channels/channels.ts').matchAll(/\('(data-access:\w+)'\)/g), ([, name]) => `\`${String(name)}\``)
  t.strictSame(cellsOf('Channels', 1), names.sort())
})

t.test('the reference lists each field of each message with its type, and no other', async (t) => {
  const fields = Array.from(read('src/channels/messages.ts').matchAll(/^export interface (\w+)[^{]*\{[^\n]*\n([^}]*)^\}/gm), ([, name, body]) =>
    Array.from(String(body).matchAll(/^ {2}(?:readonly )?(\w+)\??: (.+)$/gm), ([, field, type]) => `\`${String(name)}.${String(field)}\` | \`${String(type)}\``)).flat()
  t.ok(fields.length > 30)
  t.strictSame(cellsOf('Messages', 2), fields.sort())
})

t.test('the reference lists each metric with its kind, unit and attributes, and no other', async (t) => {
  t.strictSame(cellsOf('Metrics', 4), figures.map(({ name, kind, unit, attributes }) =>
    `\`${name}\` | ${kind} | \`${unit}\` | ${attributes.map((attribute) => `\`${attribute}\``).join(', ')}`).sort())
})

t.test('the reference lists each attribute that only spans have, and no other', async (t) => {
  t.strictSame(cellsOf('Attributes of spans', 1), spanAttributeNames.map((name) => `\`${name}\``).sort())
})

t.test('the reference lists each attribute of each span, and no other', async (t) => {
  const message = {
    database: 'billing',
    namespace: 'shop',
    serverAddress: 'db',
    serverPort: 5432,
    error: new Error('x'),
    sqlState: '23505',
    table: 'users',
    text: 'select',
    kind: 'read',
    returnedRows: 1,
    batchSize: 2
  } as never
  const spans = {
    '`statement` | CLIENT | `SELECT users`: `db.query.summary`, or `postgresql` without one': { ...statementStart(message), ...statementEnd(message, true) },
    '`transaction` | INTERNAL | `transaction`': { ...transactionStart(message), ...transactionEnd(message) },
    '`wait` | INTERNAL | `wait for a connection`': waitAttributes(message)
  }
  t.strictSame(cellsOf('Spans', 4), Object.entries(spans).map(([cells, attributes]) =>
    `${cells} | ${Object.keys(attributes).sort().map((name) => `\`${name}\``).join(', ')}`))
})

t.test('the reference lists each class of errors with its code, status and retryable, and no other', async (t) => {
  const { code } = new core.SettingsError('pool.size', 'is wrong')
  const rows = Object.entries(core).flatMap(([name, value]) => {
    if (typeof value !== 'function' || !(value.prototype instanceof Error)) return []
    const { defaults = { code, statusCode: 'none' } } = value as { defaults?: { code: string, statusCode: number | string, retryable?: boolean } }
    return [`\`${name}\` | \`${defaults.code}\` | ${defaults.statusCode} | ${'retryable' in defaults && defaults.retryable === true ? 'yes' : 'no'}`]
  })
  t.ok(rows.length > 25)
  t.strictSame(cellsOf('Errors', 4), rows.sort())
})
