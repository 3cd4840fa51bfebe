import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One file of a tree: its path from the root with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

const madeByMachines = new Set(['node_modules', 'dist', 'coverage', '.git', '.tap', '.data', '.mutants', '.site'])
const binary = /\.(png|jpg|gif|ico|woff2?|tgz|gz)$/

/** Every text file below `root` except generated ones, in the order of paths. */
export function readTree (root: string): SourceFile[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => !madeByMachines.has(entry.name) && !binary.test(entry.name))
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .flatMap((entry) => {
      const path = join(root, entry.name)
      if (entry.isDirectory()) return readTree(path).map((file) => ({ ...file, path: `${entry.name}/${file.path}` }))
      return entry.isFile() ? [{ path: entry.name, text: readFileSync(path, 'utf8') }] : []
    })
}

/** The root of this project, wherever it was cloned to. */
export const projectRoot = join(import.meta.dirname, '..', '..')
