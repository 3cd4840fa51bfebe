import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { sections } from './sidebar.js'

/** The root of the project. */
export const root = join(import.meta.dirname, '..')

/** The parts of package.json that the site shows. */
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly exports: Readonly<Record<string, { readonly default?: string }>>
  readonly repository?: string | { readonly url: string }
}

/** One page of the site. */
export interface SitePage {
  /** Its path in the site: `session.md`, `observability/index.md`. */
  readonly path: string
  /** Its first heading, without marks. */
  readonly title: string
  /** Its first sentence, without marks. */
  readonly summary: string
  readonly text: string
}

/** A section of the navigation with its pages. */
export interface SiteSection {
  readonly text: string
  readonly collapsed: boolean
  readonly pages: readonly SitePage[]
}

/** The Markdown files below `docs/`, by their paths in it. */
export function documentPaths (): string[] {
  return readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) => path.replaceAll('\\', '/')).filter((path) => path.endsWith('.md')).sort()
}

/** A page of `docs/`, as the site shows it. */
export function documentPage (path: string): SitePage {
  return sitePage(`docs/${path}`, path.replace(/README\.md$/, 'index.md'), readFileSync(join(root, 'docs', path), 'utf8'))
}

/** The changes of each version. */
export function changelogPage (): SitePage {
  return sitePage('CHANGELOG.md', 'changelog.md', readFileSync(join(root, 'CHANGELOG.md'), 'utf8'))
}

/** The sections of the navigation with the pages of `docs/` and these, made from the source. Empty sections are left out. */
export function siteSections (generated: readonly SitePage[]): SiteSection[] {
  const documents = documentPaths()
  const named = new Set(sections.flatMap(({ pages }) => pages))
  return sections.map(({ text, pages, collapsed = false }) => ({
    text,
    collapsed,
    pages: pages.flatMap((name) => {
      const page = generated.find(({ path }) => path === name)
      if (page !== undefined) return [page]
      if (!name.endsWith('*')) return documents.includes(name) ? [documentPage(name)] : []
      return documents.filter((path) => path.startsWith(name.slice(0, -1)) && !named.has(path)).map(documentPage).sort(byTitle)
    })
  })).filter((section) => section.pages.length > 0)
}

/** The page of the folder itself is the first one. */
function byTitle (a: SitePage, b: SitePage): number {
  return Number(b.path.endsWith('index.md')) - Number(a.path.endsWith('index.md')) || (a.title < b.title ? -1 : 1)
}

/** The pages that no section names, and the names that are no page. */
export function findUnplaced (documents: readonly string[], generated: readonly string[], names = sections.flatMap(({ pages }) => pages)): string[] {
  const isNamed = (path: string): boolean => names.some((name) => name.endsWith('*') ? path.startsWith(name.slice(0, -1)) : path === name)
  const all = [...documents, ...generated]
  return [
    ...documents.filter((path) => !isNamed(path)).map((path) => `docs/${path} is in no section of site/sidebar.ts`),
    ...generated.filter((path) => !isNamed(path)).map((path) => `${path} is in no section of site/sidebar.ts`),
    ...names.filter((name) => !name.endsWith('*') && !all.includes(name)).map((name) => `site/sidebar.ts names ${name}, which is no page`)
  ]
}

/** A page of the site from a Markdown file of the project. */
export function sitePage (source: string, path: string, text: string): SitePage {
  const [heading = ''] = /^# .+$/m.exec(text) ?? []
  const [, after = ''] = text.split(`${heading}\n`)
  return { path, title: plain(heading.slice(2)), summary: firstSentence(after), text: withoutContents(withLinks(text, source)) }
}

/** The first sentence of the first paragraph. A colon ends it, too, where a list or code follows. */
function firstSentence (text: string): string {
  const [paragraph = ''] = text.trim().split('\n\n')
  const [sentence] = /^.*?[.:](?=\s|$)/s.exec(plain(paragraph)) ?? [plain(paragraph)]
  return sentence.replace(/:$/, '.')
}

function plain (markdown: string): string {
  return markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '').replace(/\s+/g, ' ').trim()
}

/** The list of sections with which a page begins: the site shows one beside each page. */
function withoutContents (text: string): string {
  const [before = '', ...sections] = text.split(/^(?=## )/m)
  return [before.replace(/(^- \[[^\n]*\]\(#[^\n]*\)\n)+\s*$/m, ''), ...sections].join('')
}

const fences = /^```.*?^```$/gms
const link = /(!?)\[((?:[^\][]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g

/** Links between pages lead to pages of the site, those to other files of the project to its repository; without one, only their text is left. */
function withLinks (text: string, source: string): string {
  const blocks: string[] = text.match(fences) ?? []
  return text.split(fences).map((prose, index) => prose.replace(link, (whole, image: string, words: string, target: string) => {
    if (/^[a-z]+:/.test(target) || target.startsWith('#') || image !== '') return whole
    const [file = '', anchor] = target.split('#')
    const to = posix.normalize(posix.join(posix.dirname(source), file))
    const page = pageOf(to)
    const suffix = anchor === undefined ? '' : `#${anchor}`
    if (page !== undefined) return `[${words}](/${page}${suffix})`
    return repository === undefined ? words : `[${words}](${repository}/blob/main/${to}${suffix})`
  }) + (blocks[index] ?? '')).join('')
}

/** The page of the site that shows a file of the project. */
function pageOf (file: string): string | undefined {
  if (file === 'CHANGELOG.md') return 'changelog.md'
  return file.startsWith('docs/') && file.endsWith('.md') && existsSync(join(root, file)) ? file.slice('docs/'.length).replace(/README\.md$/, 'index.md') : undefined
}

/** The address of the repository, if package.json has one. */
export const repository: string | undefined = repositoryOf(manifest)

function repositoryOf ({ repository }: typeof manifest): string | undefined {
  const url = typeof repository === 'string' ? repository : repository?.url
  return url?.replace(/^git\+/, '').replace(/\.git$/, '').replace(/^github:/, 'https://github.com/')
}
