import { dirname, join, normalize } from 'node:path'
import { existsSync } from 'node:fs'
import t from 'tap'
import { parseMarkdown } from '../helpers/markdown.js'
import { projectRoot, readTree } from './source-files.js'
import type { SourceFile } from './source-files.js'

const pages = readTree(projectRoot).filter(({ path }) => path.endsWith('.md') && !path.includes('/dist/'))

const inline = /`[^`]*`/g
const link = /\]\((?<target>[^)\s]+)\)/g
const isElsewhere = /^[a-z]+:/

/** Relative links that lead nowhere, each as `page:line target`. */
function findDeadLinks (all: readonly SourceFile[], exists: (path: string) => boolean): string[] {
  const parsed = new Map(all.map(({ path, text }) => [path, parseMarkdown(text)]))
  return [...parsed].flatMap(([path, { prose }]) => prose.flatMap((line, index) =>
    Array.from(line.replace(inline, '').matchAll(link), ({ groups: { target } = {} }) => String(target))
      .filter((target) => !isElsewhere.test(target) && !leadsSomewhere(path, target))
      .map((target) => `${path}:${index + 1} ${target}`)))

  function leadsSomewhere (from: string, target: string): boolean {
    const [file = '', anchor] = target.split('#')
    const to = file === '' ? from : normalize(join(dirname(from), file))
    const page = parsed.get(to)
    return anchor === undefined ? page !== undefined || exists(to) : page?.headings.some((heading) => heading.anchor === anchor) === true
  }
}

/** Pages that do not begin with a list of their sections, in order. */
function findUnlisted (all: readonly SourceFile[]): string[] {
  return all.filter(({ text }) => {
    const sections = parseMarkdown(text).headings.filter(({ level }) => level === 2)
    const [before = ''] = text.split('\n## ')
    return !before.endsWith(sections.map((section) => `- [${section.text}](#${section.anchor})`).join('\n') + '\n')
  }).map(({ path }) => path)
}

t.test('every relative link and every anchor of every page leads somewhere', async (t) => {
  t.ok(pages.length > 50)
  t.strictSame(findDeadLinks(pages, (path) => existsSync(join(projectRoot, path))), [])
})

t.test('every page of docs/ begins with a list of its sections', async (t) => {
  t.strictSame(findUnlisted(pages.filter(({ path }) => path.startsWith('docs/'))), [])
})

t.test('README.md is a page to read in a minute or two, and names every page of docs/, its recipes by their own list', async (t) => {
  const readme = String(pages.find(({ path }) => path === 'README.md')?.text)
  t.ok(readme.split('\n').length <= 151)
  const recipes = String(pages.find(({ path }) => path === 'docs/recipes/README.md')?.text)
  const isNamed = (path: string): boolean => readme.includes(`](${path})`) || recipes.includes(`](${path.replace('docs/recipes/', '')})`)
  t.strictSame(pages.map(({ path }) => path).filter((path) => path.startsWith('docs/') && !isNamed(path)), [])
})

t.test('a link to a missing file or heading is reported, and text in code is no link', async (t) => {
  const tree = [
    { path: 'a.md', text: '# A\n\n[b](docs/b.md) [c](c.md) [x](docs/b.md#two-words) [y](docs/b.md#three) [own](#a) [web](https://example.com/#z)\n' },
    {
      path: 'docs/b.md',
      text: '# B\n\n`[no](link)`\n\n```ts\n// # Three\nlist[0](missing)\n```\n\n## Two `words`!\n\n[up](../a.md#a) [self](#three)\n\n## Again\n\n## Again\n\n[twice](#again-1) ![chart](x.svg)\n'
    }
  ]
  t.strictSame(findDeadLinks(tree, (path) => path === 'docs/x.svg'), ['a.md:3 c.md', 'a.md:3 docs/b.md#three', 'docs/b.md:12 #three'])
  t.strictSame(findUnlisted([...tree.slice(1), { path: 'docs/c.md', text: '# C\n\n- [One: `two`](#one-two)\n\n## One: `two`\n' }]), ['docs/b.md'])
})
