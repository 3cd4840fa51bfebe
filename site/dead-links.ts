import { posix } from 'node:path'

/** A file of a built site: its path from the root of the site, and its text if it is HTML. */
export interface BuiltFile {
  readonly path: string
  readonly html?: string
}

const tag = /<(?:a|link|script|img|source)\s[^>]*?(?:href|src)="([^"]*)"/g
const id = /\sid="([^"]*)"/g
const isElsewhere = /^([a-z]+:|\/\/)/

/** The links of a built site that lead to no file, or to no element of a page, each as `page target`. `base` is the path below which it is served. */
export function findDeadLinks (files: readonly BuiltFile[], base: string): string[] {
  const ids = new Map(files.map(({ path, html = '' }) => [path, new Set(Array.from(html.matchAll(id), ([, name = '']) => decode(name)))]))
  const dead = files.flatMap(({ path, html = '' }) => Array.from(html.matchAll(tag), ([, target = '']) => decode(target))
    .filter((target) => !isElsewhere.test(target) && !leadsSomewhere(path, target))
    .map((target) => `${path} ${target}`))
  return [...new Set(dead)]

  function leadsSomewhere (from: string, target: string): boolean {
    const [file = '', anchor = ''] = target.split('#')
    if (file.startsWith('/') && !file.startsWith(base)) return false
    const to = file === '' ? from : posix.normalize(file.startsWith('/') ? file.slice(base.length) : posix.join(posix.dirname(from), file))
    const found = [to, `${to}.html`, posix.join(to, 'index.html')].map((name) => ids.get(name.replace(/^\.?\//, ''))).find((names) => names !== undefined)
    return found !== undefined && (anchor === '' || found.has(decodeURIComponent(anchor)))
  }
}

function decode (text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&#39;', "'").replaceAll('&amp;', '&')
}
