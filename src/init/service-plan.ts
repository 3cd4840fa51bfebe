import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findServer, type FoundServer } from './find-server.js'
import { namedVersion, type Manifest, type Piece } from './manifest.js'
import type { NewFile, Templates } from './templates.js'

/** What becomes of the files of a service in a folder. */
export interface ServicePlan {
  /** The parts that the folder has or gets. */
  readonly pieces: readonly Piece[]
  readonly writes: readonly NewFile[]
  /** Files that are there and stay as they are. */
  readonly kept: readonly string[]
  /** Why a part is left out, one sentence each. */
  readonly reasons: readonly string[]
  /** The program's own server. */
  readonly server: FoundServer | undefined
}

const places = ['', 'src/', 'db/', 'src/db/']
const extensions = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs']
/** Files that show that the program has tables of its own. */
const schemas = places.flatMap((place) => extensions.map((extension) => `${place}schema.${extension}`))
const configs = [...extensions, 'json'].map((extension) => `drizzle.config.${extension}`)

/**
 * Decides which files are written into a folder. A file that exists is never among them. The table and its migration come together or not at all, and so does
 * the server, which needs that table.
 */
export function planService (folder: string, templates: Templates, manifest: Manifest): ServicePlan {
  const isThere = ({ path }: NewFile): boolean => existsSync(join(folder, path))
  const isSame = (file: NewFile): boolean => isThere(file) && readFileSync(join(folder, file.path), 'utf8') === file.text
  const all = Object.values(templates).flat() as NewFile[]

  const foreignTables = ownTables(folder, templates, { isSame, manifest })
  const server = findServer(folder, (path, text) => templates.server.some((file) => file.path === path && file.text === text))
  const foreignFile = templates.server.find((file) => isThere(file) && !isSame(file))?.path
  const reasons = [
    ...foreignTables === undefined ? [] : [`${foreignTables}, so no table and no migration was added`],
    ...foreignFile === undefined || server !== undefined ? [] : [`${foreignFile} is there already, so no other part of a server was added`]
  ]
  const isServed = foreignTables === undefined && foreignFile === undefined && server === undefined
  const pieces: Piece[] = [
    'settings',
    ...isServed ? ['guide' as const] : [],
    ...foreignTables === undefined ? ['model' as const] : [],
    ...isServed ? ['server' as const] : []
  ]
  const chosen = pieces.flatMap((piece) => templates[piece])
  // Half a migration is none: without its journal, the others would be read as files of nobody.
  const hasMigrations = existsSync(join(folder, 'drizzle/meta/_journal.json'))
  const writes = chosen.filter((file) => !isThere(file) && !(hasMigrations && file.path.startsWith('drizzle/')))
  return { pieces, writes, kept: all.filter(isThere).map(({ path }) => path), reasons, server }
}

/** Returns why the folder cannot get our table: it has tables, or another version of Drizzle. */
function ownTables (
  folder: string,
  { model }: Templates,
  { isSame, manifest }: { isSame: (file: NewFile) => boolean, manifest: Manifest }
): string | undefined {
  const ours = model.filter(isSame).map(({ path }) => path)
  const found = [...configs, ...schemas].find((path) => existsSync(join(folder, path)) && !ours.includes(path))
  if (found !== undefined) return `${found} is there already`
  const isOurs = ours.some((path) => path.startsWith('schema.'))
  if (!isOurs && existsSync(join(folder, 'drizzle')) && readdirSync(join(folder, 'drizzle')).length > 0) return 'The folder drizzle is there already'
  const version = namedVersion(manifest, 'drizzle-orm')
  return version !== undefined && /^\D*[1-9]/.test(version) ? `package.json names drizzle-orm ${version}, and the files of init are for 0.45` : undefined
}
