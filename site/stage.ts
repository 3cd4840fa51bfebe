import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { assistantFiles } from './assistants.js'
import { changelogPage, manifest, root, siteSections } from './pages.js'
import { openDoors } from './reference/doors.js'
import { referencePages } from './reference/reference-pages.js'
import type { SitePage } from './pages.js'

/** The folder of all that is made for the site. */
export const made = join(root, '.site')

/** The path below which the site is served. */
export const base = process.env['DOCS_BASE'] ?? '/'

/** Made once for each run: the source does not change while pages are written. */
let reference: SitePage[] | undefined

/** Writes every page into `.site/pages`, from which VitePress builds the site. */
export async function stagePages (): Promise<void> {
  const folder = join(made, 'pages')
  await rm(folder, { recursive: true, force: true })
  reference ??= referencePages(openDoors())
  const sections = siteSections(reference)
  const pages = [...sections.flatMap(({ pages }) => pages), changelogPage()]
  for (const page of pages) await writePage(folder, page)
  await writeFile(join(folder, 'index.md'), await readFile(join(root, 'site', 'home.md'), 'utf8'))
  await cp(join(root, 'site', 'public'), join(folder, 'public'), { recursive: true })
  for (const { path, text } of assistantFiles(sections, { ...manifest, base })) await write(join(folder, 'public', path), text)
  const sidebar = sections.map(({ text, collapsed, pages }) => ({
    text, ...collapsed && { collapsed }, items: pages.map(({ title, path }) => ({ text: title.split(': ')[0], link: `/${path.replace(/(index)?\.md$/, '')}` }))
  }))
  await writeFile(join(made, 'sidebar.json'), JSON.stringify(sidebar))
}

async function writePage (folder: string, { path, summary, text }: SitePage): Promise<void> {
  await write(join(folder, path), `---\ndescription: ${JSON.stringify(summary)}\n---\n\n${text}`)
}

async function write (file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}
