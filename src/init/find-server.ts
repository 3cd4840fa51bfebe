import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A Fastify server in somebody's program. */
export interface FoundServer {
  /** The path of its file, from the folder of the program. */
  readonly path: string
  /** The variable that holds the server. */
  readonly variable: string
  /** Whether the file takes its modules with `require`. */
  readonly takesByRequire: boolean
}

const program = /\.[cm]?[jt]s$/
const notProgram = /(^|[._-])(test|spec)\.[cm]?[jt]s$|\.d\.[cm]?ts$/
/** Folders of code that nobody wrote here, or that starts servers for tests only. */
const skipped = new Set(['node_modules', 'dist', 'build', 'out', 'coverage', 'test', 'tests', '__tests__'])

const taken = /(?:from|(?<require>require)\s*\()\s*['"]fastify['"]/
const made = /(?:(?<variable>[\w$]+)\s*(?::[^=\n]+)?=\s*(?:await\s+)?)?\b(?:fastify|Fastify|require\s*\(\s*['"]fastify['"]\s*\))\s*(?:<[^>]*>\s*)?\(/

/** The most files that are read: a folder with more is not only a program. */
const mostFiles = 2000

/**
 * Finds the first file that makes a Fastify server: files before folders, both by name.
 *
 * @param isOwn tells which files do not count, by their path and text
 */
export function findServer (folder: string, isOwn: (path: string, text: string) => boolean): FoundServer | undefined {
  let count = 0
  for (const path of programs(folder, '')) {
    if (++count > mostFiles) return undefined
    const text = readFileSync(join(folder, path), 'utf8')
    const imported = taken.exec(text)
    const call = made.exec(text)
    if (imported === null || call === null || isOwn(path, text)) continue
    return { path, variable: call.groups?.['variable'] ?? 'server', takesByRequire: imported.groups?.['require'] !== undefined }
  }
  return undefined
}

function * programs (folder: string, below: string): Generator<string> {
  const entries = readdirSync(join(folder, below), { withFileTypes: true }).sort((a, b) => a.name.localeCompare(b.name))
  for (const entry of entries) if (entry.isFile() && program.test(entry.name) && !notProgram.test(entry.name)) yield `${below}${entry.name}`
  for (const entry of entries) if (entry.isDirectory() && !entry.name.startsWith('.') && !skipped.has(entry.name)) yield * programs(folder, `${below}${entry.name}/`)
}
