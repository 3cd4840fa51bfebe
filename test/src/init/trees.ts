import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The files below a folder, by their paths; each with its text. */
export function filesOf (folder: string): Record<string, string> {
  return Object.fromEntries(readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
    .filter((path) => lstatSync(join(folder, path)).isFile())
    .map((path) => [path, readFileSync(join(folder, path), 'utf8')]))
}

/** The files of a new service, in the order in which they are written. */
export const serviceFiles = [
  'package.json', 'tsconfig.json', '.gitignore', '.env.example', 'README.md', 'schema.ts', 'drizzle.config.ts', 'drizzle/0000_notes.sql',
  'drizzle/0000_notes.down.sql', 'drizzle/meta/0000_snapshot.json', 'drizzle/meta/_journal.json', 'build-server.ts', 'server.ts', 'notes.test.ts'
]
