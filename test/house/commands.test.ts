import t from 'tap'
import { scriptsFor } from '../../src/init/manifest.js'
import { findUnexplained, findWrongCommands } from './commands.js'
import { projectRoot, readTree } from './source-files.js'

const files = readTree(projectRoot)
const { scripts } = JSON.parse(String(files.find(({ path }) => path === 'package.json')?.text)) as { scripts: Record<string, string> }
const pages = files.filter(({ path }) => /^((docs|skills|site)\/.*|[A-Z]+)\.md$/.test(path))

t.test('every command that a page shows exists, with its flags', async (t) => {
  t.ok(pages.length > 20)
  t.strictSame(findWrongCommands(pages, [...Object.keys(scripts), ...Object.keys(scriptsFor('ts'))]), [])
})

t.test('the help of each subcommand explains its flags, and no others', async (t) => {
  t.strictSame(findUnexplained(), [])
})

t.test('a command, a flag and a script that do not exist are named', async (t) => {
  const text = [
    '`npx data-access migrate up --to 3 --dry-run`, `npx fastify-data-access migrate check --json`, `npm run build`',
    'npx data-access migrate up --force      # no such flag', 'npx data-access migrate sideways', 'npx data-access dance', '`npm run nothing`'
  ].join('\n')
  t.strictSame(findWrongCommands([{ path: 'a.md', text }], ['build']), [
    'a.md:2 npx data-access migrate up --force', 'a.md:3 npx data-access migrate sideways', 'a.md:4 npx data-access dance', 'a.md:5 npm run nothing'
  ])
})
