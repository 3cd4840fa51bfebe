import type { SitePage, SiteSection } from './pages.js'

/** What assistants read of the site, as https://llmstxt.org proposes: a list of the pages, all of them in one text, and each as Markdown. */
export interface AssistantFile {
  readonly path: string
  readonly text: string
}

/** The files for assistants: `llms.txt`, `llms-full.txt`, and the Markdown of each page under its own name. `base` is the path below which the site is served. */
export function assistantFiles (sections: readonly SiteSection[], { name, description, base }: { name: string, description: string, base: string }): AssistantFile[] {
  const pages = sections.flatMap((section) => section.pages)
  const lists = sections.map((section) => [`## ${section.text}`, section.pages.map(({ title, path, summary }) => `- [${title}](${base}${path}): ${summary}`).join('\n')].join('\n\n'))
  const head = [`# ${name}`, `> ${description}`]
  return [
    { path: 'llms.txt', text: [...head, `Every page in one text: [llms-full.txt](${base}llms-full.txt).`, ...lists].join('\n\n') + '\n' },
    { path: 'llms-full.txt', text: [...head, ...pages.map((page) => markdownOf(page, base).trim())].join('\n\n') + '\n' },
    ...pages.map((page) => ({ path: page.path, text: markdownOf(page, base) }))
  ]
}

/** A page as Markdown that stands alone: its links lead to the Markdown of other pages, and its headings have no marks of VitePress. */
function markdownOf ({ text }: SitePage, base: string): string {
  return text.replace(/\]\(\/(?=[^)]*\.md)/g, `](${base}`).replace(/^(#+ .*) \{#[^}]+\}$/gm, '$1')
}
