import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { logLinesOf } from './log-lines.js'
import { projectRoot, readTree } from './source-files.js'

const page = readFileSync(join(projectRoot, 'docs/telemetry-reference.md'), 'utf8')
const sources = readTree(projectRoot).filter(({ path }) => /^(?:src|plugins)\/.*\.ts$/.test(path))

t.test('the reference lists each line of the log with its level and fields, and no other', async (t) => {
  const lines = logLinesOf(sources)
  t.ok(lines.length > 45)
  const [, after = ''] = page.split('\n## Lines of the log\n')
  const [own = ''] = after.split('\n## ')
  const listed = own.split('\n').filter((line) => line.startsWith('| `')).map((line) => line.split(' | ').slice(0, 3).join(' | '))
  const written = lines.map(({ level, message, fields }) => `| \`${level}\` | ${message} | ${fields.map((name) => name === '…' ? name : `\`${name}\``).join(', ') || 'none'}`)
  t.strictSame(listed.sort(), [...new Set(written)].sort())
})

t.test('a line is found however its text is written', async (t) => {
  const text = 'const a = "one " + `two $' + '{2}`\nlogger.warn({ x, ...y }, wrap("n", a))\nthis.#log.info(f(), text)\nreply.log.debug("alone")\nconsole.error("no")\nlogger.error()'
  t.strictSame(logLinesOf([{ path: 'a.ts', text } as never]), [
    { level: 'warn', fields: ['x', '…'], message: 'one two …' },
    { level: 'debug', fields: [], message: 'alone' },
    { level: 'error', fields: [], message: '…' }
  ])
})
