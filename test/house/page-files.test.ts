import t from 'tap'
import { findUntrue, shownFile } from './page-files.js'
import { projectRoot, readTree } from './source-files.js'
import { parseMarkdown } from '../helpers/markdown.js'

const files = readTree(projectRoot)

t.test('a block of a page that names a file of examples/ says what the file says', async (t) => {
  const named = files.filter(({ path }) => /^docs\/.*\.md$/.test(path)).flatMap(({ text }) => parseMarkdown(text).blocks.map(shownFile))
  t.ok(named.filter((path) => path !== undefined).length > 5)
  t.strictSame(findUntrue(files), [])
})

t.test('a block that differs from its file is named', async (t) => {
  const file = { path: 'examples/a.ts', text: "import { x } from '../plugins/index.js'\n\nexport function a () {\n  one()\n  two()\n\n  three()\n}\n" }
  const page = (...lines: string[]) => ({ path: 'docs/a.md', text: ['```ts', '// examples/a.ts', ...lines, '```', ''].join('\n') })
  const judge = (...lines: string[]): string[] => findUntrue([file, page(...lines)])

  t.strictSame(judge("import { x } from 'fastify-data-access'", 'export function a () {', '  one()', '  // …', '  three()'), [])
  t.strictSame(judge('one()', 'two()', 'three()'), [], 'empty lines and indentation do not count')
  const untrue = ['docs/a.md: examples/a.ts']
  t.strictSame(judge('one()', 'three()'), untrue)
  t.strictSame(judge('three()', '// …', 'one()'), untrue, 'the order counts')
  t.strictSame(judge('ne()'), untrue, 'lines are whole')
  t.strictSame(findUntrue([page('one()')]), untrue, 'the file is missing')
})
