import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../house/source-files.js'

/** A fenced block of code, and the heading above it. */
export interface CodeBlock {
  /** The text of the heading without its marks; empty before the first one. */
  readonly heading: string
  /** The word after the fence: `ts`, `sh`. */
  readonly language: string
  readonly code: string
}

/** A page in parts. */
export interface MarkdownPage {
  readonly headings: ReadonlyArray<{ readonly level: number, readonly text: string, readonly anchor: string }>
  readonly blocks: readonly CodeBlock[]
  /** The lines outside of blocks; lines inside are empty here, so that line numbers stay the same. */
  readonly prose: readonly string[]
}

const fence = /^```(\w*)$/
const heading = /^(#{1,6}) (.+)$/

/** Reads the headings, the blocks of code and the prose of a page. */
export function parseMarkdown (text: string): MarkdownPage {
  const headings: Array<{ level: number, text: string, anchor: string }> = []
  const blocks: CodeBlock[] = []
  const prose: string[] = []
  let open: { language: string, lines: string[] } | undefined
  for (const line of text.split('\n')) {
    const [isFence, language = ''] = fence.exec(line) ?? []
    const isInside = open !== undefined || isFence !== undefined
    prose.push(isInside ? '' : line)
    if (open === undefined) {
      const [, marks = '', title = ''] = isInside ? [] : heading.exec(line) ?? []
      if (title !== '') headings.push({ level: marks.length, text: title, anchor: anchorOf(title, headings.map(({ anchor }) => anchor)) })
      if (isFence !== undefined) open = { language, lines: [] }
    } else if (line === '```') {
      blocks.push({ heading: headings.at(-1)?.text ?? '', language: open.language, code: open.lines.join('\n') + '\n' })
      open = undefined
    } else {
      open.lines.push(line)
    }
  }
  return { headings, blocks, prose }
}

/** The anchor that GitHub gives to a heading: its letters and digits, with hyphens for spaces, and a number if it is taken. */
function anchorOf (title: string, taken: readonly string[]): string {
  const plain = title.toLowerCase().replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-')
  const isSame = (anchor: string): boolean => anchor.startsWith(plain) && /^(-\d+)?$/.test(anchor.slice(plain.length))
  const sameBefore = taken.filter(isSame).length
  return sameBefore === 0 ? plain : `${plain}-${sameBefore}`
}

/** Reads a page of the project. */
export function readPage (path: string): MarkdownPage {
  return parseMarkdown(readFileSync(join(projectRoot, path), 'utf8'))
}

/** The first TypeScript block below a heading of a page. @throws Error if there is none */
export function exampleBelow (path: string, heading: string): string {
  const found = readPage(path).blocks.find((block) => block.heading === heading && block.language === 'ts')
  if (found === undefined) throw new Error(`${path} has no ts block below "${heading}"`)
  return found.code
}

/** The only block of a page, of TypeScript or another language, in which a line begins with this text. @throws Error if there is none, or more than one */
export function exampleWith (path: string, line: string, language = 'ts'): string {
  const found = readPage(path).blocks.filter((block) => block.language === language && `\n${block.code}`.includes(`\n${line}`))
  if (found.length !== 1) throw new Error(`${path} has ${found.length} ${language} blocks with the line ${line}`)
  return String(found[0]?.code)
}
