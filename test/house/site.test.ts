import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { anchorOf } from '../../site/anchor.js'
import { assistantFiles } from '../../site/assistants.js'
import { findDeadLinks } from '../../site/dead-links.js'
import { documentPage, documentPaths, findUnplaced, repository, sitePage, siteSections } from '../../site/pages.js'
import { referencePaths } from '../../site/reference/reference-pages.js'
import { Repository } from '../../src/index.js'
import { readPage } from '../helpers/markdown.js'
import { projectRoot } from './source-files.js'
import type { SitePage } from '../../site/pages.js'

/** The members of repositories that only their classes see. */
const forSubclasses = /^(?:constructor|(?:before|after)[A-Z]\w+|unrestricted|repo|session|table)$/

t.test('every page of docs/ has a place in the navigation of the site, and every place a page', async (t) => {
  t.strictSame(findUnplaced(documentPaths(), referencePaths), [])
  const shown = siteSections([]).flatMap(({ pages }) => pages.map(({ path }) => path))
  t.strictSame(shown.sort(), documentPaths().map((path) => path.replace(/README\.md$/, 'index.md')).sort(), 'and each is shown once')
  const recipes = siteSections([]).find(({ text }) => text === 'Recipes')?.pages.map(({ title }) => title) ?? []
  t.strictSame(recipes, ['Recipes', ...recipes.slice(1).sort()], 'the pages of a folder follow its own')
})

t.test('a page without a place is named, and so is a place without a page', async (t) => {
  t.strictSame(findUnplaced(['a.md', 'recipes/b.md', 'c.md'], ['reference/d.md'], ['a.md', 'recipes/*', 'gone.md']), [
    'docs/c.md is in no section of site/sidebar.ts',
    'reference/d.md is in no section of site/sidebar.ts',
    'site/sidebar.ts names gone.md, which is no page'
  ])
})

t.test('every page has a title and a first sentence', async (t) => {
  for (const page of documentPaths().map(documentPage)) {
    t.match(page.title, /^[^#`]+$/, page.path)
    t.match(page.summary, /^[^[\]`]{20,400}[.!?]$/s, page.path)
  }
})

t.test('a page of the site has no list of its sections, and links that lead out of it lead to the repository', async (t) => {
  const text = [
    '# One `page`', 'The first [sentence](errors.md). The second.', '- [A](#a)\n- [B](#b)', '## A',
    'See [errors](errors.md#headers), [more](observability/README.md), [changes](../CHANGELOG.md), [a test](../test/README.md) and [elsewhere](https://example.com/).',
    '```ts\n// [not](a-link.md)\n```', '## B', '- [own](#a)'
  ].join('\n\n') + '\n'
  const page = sitePage('docs/one.md', 'one.md', text)
  const aTest = repository === undefined ? 'a test' : `[a test](${repository}/blob/main/test/README.md)`

  t.equal(page.title, 'One page')
  t.equal(page.summary, 'The first sentence.')
  t.equal(page.text, [
    '# One `page`', 'The first [sentence](/errors.md). The second.', '## A',
    `See [errors](/errors.md#headers), [more](/observability/index.md), [changes](/changelog.md), ${aTest} and [elsewhere](https://example.com/).`,
    '```ts\n// [not](a-link.md)\n```', '## B', '- [own](#a)'
  ].join('\n\n') + '\n')
})

t.test('an anchor of the site is the anchor of the repository', async (t) => {
  const headings = documentPaths().flatMap((path) => readPage(`docs/${path}`).headings.filter(({ text, anchor }) => !/-\d+$/.test(anchor) && !text.includes('](')))
  t.ok(headings.length > 100)
  t.strictSame(headings.filter(({ text, anchor }) => anchorOf(text) !== anchor), [])
})

t.test('a link of the built site to a missing file or element is named', async (t) => {
  const links = (...targets: string[]): string => targets.map((target) => `<a class="x" href="${target}">y</a>`).join('')
  t.strictSame(findDeadLinks([
    { path: 'index.html', html: `<h2 id="top"></h2><script src="/x/assets/a.js"></script>${links('/x/', '/x/b.html#c', '/x/b', '#top', 'https://example.com/#z', 'mailto:a@b.c')}` },
    { path: 'b.html', html: `<h2 id="c"></h2>${links('./#top', '/b.html', '/x/gone.html', '/x/b.html#no', '#none')}<img src="/x/no.svg">` },
    { path: 'assets/a.js' }
  ], '/x/'), ['b.html /b.html', 'b.html /x/gone.html', 'b.html /x/b.html#no', 'b.html #none', 'b.html /x/no.svg'])
})

t.test('assistants find each page by its title and first sentence, and its text as Markdown', async (t) => {
  const page = (name: string, text = ''): SitePage => ({ path: `${name}.md`, title: name.toUpperCase(), summary: `About ${name}.`, text: `# ${name.toUpperCase()}\n\n${text}` })
  const sections = [
    { text: 'Guides', collapsed: false, pages: [page('a', 'See [b](/b.md#B.x) and [c](https://example.com/).\n')] },
    { text: 'Reference', collapsed: false, pages: [page('b', '## B.x() {#B.x}\n')] }
  ]
  t.strictSame(assistantFiles(sections, { name: 'name', description: 'What it is', base: '/x/' }), [
    {
      path: 'llms.txt',
      text: '# name\n\n> What it is\n\nEvery page in one text: [llms-full.txt](/x/llms-full.txt).\n\n' +
        '## Guides\n\n- [A](/x/a.md): About a.\n\n## Reference\n\n- [B](/x/b.md): About b.\n'
    },
    { path: 'llms-full.txt', text: '# name\n\n> What it is\n\n# A\n\nSee [b](/x/b.md#B.x) and [c](https://example.com/).\n\n# B\n\n## B.x()\n' },
    { path: 'a.md', text: '# A\n\nSee [b](/x/b.md#B.x) and [c](https://example.com/).\n' },
    { path: 'b.md', text: '# B\n\n## B.x()\n' }
  ])
})

t.test('the skill for assistants names itself after its folder, says when to use it, and names every method, and only pages that exist', async (t) => {
  const text = readFileSync(join(projectRoot, 'skills/fastify-data-access/SKILL.md'), 'utf8')
  const [, name, description = ''] = /^---\nname: (.+)\ndescription: (.+)\n---\n/.exec(text) ?? []
  t.equal(name, 'fastify-data-access')
  t.ok(description.length > 100 && description.length <= 1024 && !description.includes(': '))
  t.ok(text.split('\n').length <= 300, 'it is short')

  const [, , methods = ''] = /^10\. (.+?)has: (.+)$/m.exec(text) ?? []
  const named = Array.from(methods.matchAll(/`(\w+)`/g), ([, method]) => String(method))
  t.strictSame(named.sort(), methodsOf(Repository.prototype).filter((method) => !forSubclasses.test(method)).sort())
  const pages = Array.from(text.matchAll(/`([\w-]+\.md)`/g), ([, page]) => String(page))
  t.strictSame(pages.filter((page) => !documentPaths().includes(page)), [])
})

/** The names of an object and of what it inherits from other classes. */
function methodsOf (prototype: object): string[] {
  return prototype === Object.prototype ? [] : [...new Set([...Object.getOwnPropertyNames(prototype), ...methodsOf(Object.getPrototypeOf(prototype))])]
}
