import { parseMarkdown, type CodeBlock } from '../helpers/markdown.js'
import type { SourceFile } from './source-files.js'

const marker = /^(?:\/\/|--|#) (?<path>examples\/\S+)\n/

/** The file of `examples/` that a block of a page shows: its first line names it, as `// examples/core.ts`. */
export function shownFile ({ code }: CodeBlock): string | undefined {
  return marker.exec(code)?.groups?.['path']
}

/**
 * Blocks of pages that do not say what the file says which they name, each as `page: file`.
 *
 * A line `// …` in a block stands for lines of the file that the page leaves out. The indentation does not count, and the pages
 * import the package by its name.
 */
export function findUntrue (files: readonly SourceFile[]): string[] {
  const texts = new Map(files.map(({ path, text }) => [path, plain(asUser(text))]))
  return files.filter(({ path }) => path.endsWith('.md')).flatMap(({ path, text }) => parseMarkdown(text).blocks.flatMap((block) => {
    const shown = shownFile(block)
    return shown === undefined || isIn(block.code.replace(marker, ''), texts.get(shown) ?? '') ? [] : [`${path}: ${shown}`]
  }))
}

function isIn (code: string, text: string): boolean {
  let rest = text
  return code.split(/^\s*\/\/ …\n/m).every((part) => {
    const wanted = plain(part)
    const place = `\n${rest}\n`.indexOf(`\n${wanted}\n`)
    rest = rest.slice(place + wanted.length)
    return place !== -1
  })
}

function plain (text: string): string {
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '').join('\n')
}

/** A file as a program writes it that has installed the package. */
function asUser (text: string): string {
  return text
    .replace(/'(\.\.\/)+plugins\/index\.js'/g, "'fastify-data-access'")
    .replace(/'(\.\.\/)+src\/(testing|migrations)\/index\.js'/g, "'fastify-data-access/$2'")
}
