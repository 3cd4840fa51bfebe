import { readFileSync } from 'node:fs'
import { ownPath } from '../runtime/package-folder.js'

/** A file of the new service. */
export interface NewFile {
  /** Its path from the folder of the service, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** How the files are written. */
export interface TemplateOptions {
  /** Whether a file `.ts` is an ES module. If package.json says otherwise, the files are called `.mts`. */
  readonly isModule: boolean
  /** The time of the migration. */
  readonly now: Date
}

/** The files that belong together, in the order in which they are written. */
export interface Templates {
  readonly settings: readonly NewFile[]
  /** What is true of our server only. */
  readonly guide: readonly NewFile[]
  /** A table, drizzle-kit's configuration, and the first migration. */
  readonly model: readonly NewFile[]
  readonly server: readonly NewFile[]
}

const pieces = {
  settings: ['tsconfig.json', 'gitignore'],
  guide: ['env.example', 'README.md'],
  model: [
    'schema.ts', 'drizzle.config.ts',
    'drizzle/0000_notes.sql', 'drizzle/0000_notes.down.sql', 'drizzle/meta/0000_snapshot.json', 'drizzle/meta/_journal.json'
  ],
  server: ['build-server.ts', 'server.ts', 'notes.test.ts']
} as const

/** npm packs no file `.gitignore`, and our own .gitignore hides `.env.example`. */
const hidden: Readonly<Record<string, string>> = { gitignore: '.gitignore', 'env.example': '.env.example' }

/** The text of a file of this package. */
export function readOwn (path: string): string {
  return readFileSync(ownPath(path), 'utf8')
}

/** The files of a new service. */
export function readTemplates (options: TemplateOptions): Templates {
  const read = (paths: readonly string[]): NewFile[] => paths.map((path) => asModules({
    path: hidden[path] ?? path, text: filledIn(path, readOwn(`templates/service/${path}`), options)
  }, options))
  return { settings: read(pieces.settings), guide: read(pieces.guide), model: read(pieces.model), server: read(pieces.server) }
}

/** A file of {@link readTemplates}, with the name of the service. */
export function withName ({ path, text }: NewFile, name: string): NewFile {
  return { path, text: path === 'README.md' ? text.replace('# my-service', `# ${name}`) : text }
}

function filledIn (path: string, text: string, { now }: TemplateOptions): string {
  // Later migrations must be newer than this one.
  return path.endsWith('_journal.json') ? text.replace(/"when": \d+/, `"when": ${now.getTime()}`) : text
}

/** In a CommonJS package only `.mts` is an ES module, and Drizzle's classes for `require` differ from those that this package imports. */
function asModules ({ path, text }: NewFile, { isModule }: TemplateOptions): NewFile {
  if (isModule) return { path, text }
  return {
    path: path.replace(/\.ts$/, '.mts'),
    text: text.replace(/\b(schema|build-server|drizzle\.config|server|test)\.ts\b/g, '$1.mts').replace(/'\.\/(schema|build-server)\.js'/g, "'./$1.mjs'")
  }
}
