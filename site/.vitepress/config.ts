import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitepress'
import { anchorOf } from '../anchor.js'
import { manifest, repository } from '../pages.js'
import { base, made } from '../stage.js'
import type { DefaultTheme } from 'vitepress'

const sidebar = JSON.parse(readFileSync(join(made, 'sidebar.json'), 'utf8')) as Array<DefaultTheme.SidebarItem & { items: Array<{ link: string }> }>

/** One entry of the bar for each of these sections, which leads to its first page. */
const nav = ['Start', 'Guides', 'Reference', 'Recipes'].flatMap((text): DefaultTheme.NavItem[] => {
  const section = sidebar.find((one) => one.text === text)
  const first = section?.items[0]
  if (section === undefined || first === undefined) return []
  const paths = section.items.map(({ link }) => link.replace(/\/$/, '/index')).join('|')
  return [{ text, link: first.link, activeMatch: `^(${paths})(\\.html)?$` }]
})

export default defineConfig({
  title: 'fastify-data-access',
  titleTemplate: ':title · fastify-data-access',
  description: manifest.description,
  lang: 'en',
  base,
  srcDir: join(made, 'pages'),
  // The Markdown of each page, for assistants.
  srcExclude: ['public/**'],
  outDir: join(made, 'dist'),
  cacheDir: join(made, 'cache'),
  // The index of the search, which a page loads when a reader searches.
  vite: { build: { chunkSizeWarningLimit: 3000 } },
  head: [
    ['link', { rel: 'icon', href: `${base}logo.svg`, type: 'image/svg+xml' }],
    ['meta', { name: 'color-scheme', content: 'light dark' }]
  ],
  markdown: {
    // The pages are Markdown as GitHub reads it: a `<` in a text is a character.
    html: false,
    anchor: { slugify: anchorOf },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: (md) => {
      // Vue would take two braces in a text for an expression of its own.
      const text = md.renderer.rules.text
      md.renderer.rules.text = (...given) => String(text?.(...given)).replaceAll('{{', '&#123;&#123;')
    }
  },
  themeConfig: {
    logo: { src: '/logo.svg', alt: '' },
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    nav: [...nav, { text: manifest.version, link: '/changelog' }],
    sidebar,
    ...repository !== undefined && { socialLinks: [{ icon: 'github', link: repository }] }
  }
})
