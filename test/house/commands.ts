import { details, overview } from '../../src/migrations/cli/help.js'
import { subcommands } from '../../src/migrations/cli/arguments.js'
import type { SourceFile } from './source-files.js'

const call = /\bnpx (?:fastify-)?data-access (?<command>[a-z-]+)(?: (?<subcommand>[a-z-]+))?(?<rest>[^`#\n]*)/g
const script = /\bnpm run (?<name>[\w:-]+)/g

/** Commands of pages that do not exist: subcommands and flags of `data-access`, and scripts of package.json. Each as `page:line command`. */
export function findWrongCommands (pages: readonly SourceFile[], scripts: readonly string[]): string[] {
  return pages.flatMap(({ path, text }) => text.split('\n').flatMap((line, index) => [
    ...Array.from(line.matchAll(call), ({ 0: whole, groups = {} }) => ({ whole, isKnown: isKnown(groups) })),
    ...Array.from(line.matchAll(script), ({ 0: whole, groups = {} }) => ({ whole, isKnown: scripts.includes(String(groups['name'])) }))
  ].filter((one) => !one.isKnown).map(({ whole }) => `${path}:${index + 1} ${whole.trim()}`)))
}

function isKnown ({ command, subcommand = '', rest = '' }: Record<string, string | undefined>): boolean {
  if (command !== 'migrate') return new RegExp(`^(data-access| ) ${command}\\b`, 'm').test(overview)
  const known: readonly string[] | undefined = subcommands[subcommand]
  return known !== undefined && flagsOf(rest).every((flag) => known.includes(flag))
}

/** The long flags that a text names, without hyphens. */
function flagsOf (text: string): string[] {
  return Array.from(text.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g), ([, flag]) => String(flag))
}

/** The flags of a subcommand that its help does not explain, and those that it explains although the subcommand has none: `up --flag`. */
export function findUnexplained (): string[] {
  return Object.entries(subcommands).flatMap(([name, flags]) => {
    const help = String(details[name])
    const rows = Array.from(help.matchAll(/^ {2}(?:-\w, )?--([a-z-]+)/gm), ([, flag]) => String(flag))
    const everywhere = flagsOf(overview)
    return [
      ...flags.filter((flag) => !rows.includes(flag) && !everywhere.includes(flag)).map((flag) => `${name} --${flag} is not explained`),
      ...rows.filter((flag) => !flags.some((known) => known === flag)).map((flag) => `${name} has no --${flag}`)
    ]
  })
}
