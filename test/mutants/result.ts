/**
 * The result in the repository: one section for each file, without times and in the order of the source, so that a difference can be read.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const path = join(import.meta.dirname, 'result.md')

/** What became of a file's mutants. */
export interface FileResult {
  readonly file: string
  readonly refused: number
  readonly killed: number
  readonly survived: readonly string[]
  readonly equivalent: ReadonlyArray<{ readonly title: string, readonly reason: string }>
}

const heading = `# Mutants

Made by \`npm run test:mutants\`: each mutant is one small bug in the source, and the tests must notice it. *Refused* are those that the compiler does not let pass,
*killed* those that a test noticed, *equivalent* those that change nothing which a program could see.
`

/** Puts in the sections of the files that were run, keeps those of the others, and adds up. */
export function writeResult (files: readonly string[], results: readonly FileResult[]): void {
  const sections = new Map(readSections().map((section) => [section.slice(0, section.indexOf('\n')), section.trimEnd()]))
  for (const result of results) sections.set(result.file, sectionOf(result))
  const kept = files.flatMap((file) => sections.get(file) ?? [])
  writeFileSync(path, [heading, sumOf(kept), ...kept.map((section) => `## ${section}\n`)].join('\n'))
}

function readSections (): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split(/^## /m).slice(1) : []
}

function sectionOf ({ file, refused, killed, survived, equivalent }: FileResult): string {
  return [
    `${file}\n`,
    counts([refused, killed, survived.length, equivalent.length]),
    ...survived.map((title) => `\n- **survived**: ${title}`),
    ...equivalent.map(({ title, reason }) => `\n- equivalent: ${title}. ${reason}`)
  ].join('\n').replace(/\n\n- /g, '\n- ').replace('\n- ', '\n\n- ')
}

function counts ([refused, killed, survived, equivalent]: readonly number[]): string {
  return `${refused} refused, ${killed} killed, ${survived} survived, ${equivalent} equivalent`
}

function sumOf (sections: readonly string[]): string {
  const columns = ['refused', 'killed', 'survived', 'equivalent'].map((word) => sections.reduce(
    (sum, section) => sum + Number(new RegExp(`(\\d+) ${word}`).exec(section)?.[1]),
    0
  ))
  return `All: ${counts(columns)}\n`
}
