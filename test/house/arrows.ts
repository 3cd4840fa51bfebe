import type { Import } from './imports.js'

/** A room of the house: the files that share one place in the order of imports. */
type Room = 'examples' | 'test' | 'plugins' | 'errors' | 'log' | 'seam' | 'model' | 'settings' | 'repository' | 'pool' | 'health' | 'session' | 'database' | 'src'

const rooms: ReadonlyArray<readonly [RegExp, Room]> = [
  [/^examples\//, 'examples'],
  [/^test\//, 'test'],
  [/^plugins\//, 'plugins'],
  [/^src\/errors\//, 'errors'],
  [/^src\/(log|handled|statement-name)\.ts$/, 'log'],
  [/^src\/(register|session\/(statement|options))\.ts$/, 'seam'],
  [/^src\/model\//, 'model'],
  [/^src\/(settings(\.ts$|\/)|connection-string\.ts$)/, 'settings'],
  [/^src\/repository\//, 'repository'],
  [/^src\/(pool\.ts$|connection\/)/, 'pool'],
  [/^src\/(health|start)\.ts$/, 'health'],
  [/^src\/session\//, 'session'],
  [/^src\/(database|closing)\.ts$/, 'database'],
  [/^src\//, 'src']
]

// Each room may import from itself and from those named; `src` is what stands above the database: doors, migrations, testing.
const mayImport: Record<Room, readonly Room[]> = {
  errors: [],
  log: [],
  seam: ['errors', 'log'],
  model: ['errors'],
  settings: ['errors', 'log', 'seam'],
  repository: ['model', 'errors', 'log', 'seam'],
  pool: ['errors', 'log', 'seam', 'settings'],
  health: ['errors', 'log', 'settings', 'pool'],
  session: ['repository', 'pool', 'model', 'settings', 'errors', 'log', 'seam'],
  database: ['session', 'repository', 'pool', 'health', 'model', 'settings', 'errors', 'log', 'seam'],
  src: ['database', 'session', 'repository', 'pool', 'health', 'model', 'settings', 'errors', 'log', 'seam'],
  plugins: ['src', 'database', 'session', 'repository', 'pool', 'health', 'model', 'settings', 'errors', 'log', 'seam'],
  examples: ['plugins', 'src', 'database', 'session', 'repository', 'pool', 'health', 'model', 'settings', 'errors', 'log', 'seam'],
  test: ['examples', 'plugins', 'src', 'database', 'session', 'repository', 'pool', 'health', 'model', 'settings', 'errors', 'log', 'seam']
}

function roomOf (path: string): Room | undefined {
  return rooms.find(([pattern]) => pattern.test(path))?.[1]
}

const aboutFastify = /^(fastify($|[-/])|@fastify\/)/
const pgInternals = /^pg(-protocol|-pool)?\/|^pg-protocol$|^pg-pool$/
const drizzleDoors = new Set(['drizzle-orm', 'drizzle-orm/pg-core', 'drizzle-orm/node-postgres'])

/** What is wrong with these imports, one sentence each; nothing when the house is in order. */
export function findWrongArrows (imports: readonly Import[]): string[] {
  return [...imports.flatMap(wrongArrow), ...sharedInternals(imports)]
}

function wrongArrow ({ from, to, isPackage, typeOnly }: Import): string[] {
  const room = roomOf(from)
  if (room === undefined) return []
  if (isPackage) return from.startsWith('src/') && aboutFastify.test(to) ? [`${from} imports ${to}: only plugins/ knows Fastify`] : []

  const target = roomOf(to)
  if (target === undefined) return [`${from} imports ${to}: outside of the house`]
  if (room === 'repository' && target === 'seam' && !typeOnly) return [`${from} imports ${to} at run time: a repository knows only the types of a session`]
  return target === room || mayImport[room].includes(target) ? [] : [`${from} imports ${to}: ${room} may not know ${target}`]
}

/** Internals of pg or of Drizzle that more than one file touches: a new major version should be one file's work. */
function sharedInternals (imports: readonly Import[]): string[] {
  const users = new Map<string, Set<string>>()
  for (const { from, to, isPackage } of imports) {
    if (!isPackage || !/^(src|plugins)\//.test(from) || !isInternal(to)) continue
    users.set(to, (users.get(to) ?? new Set()).add(from))
  }
  return [...users].filter(([, files]) => files.size > 1)
    .map(([internal, files]) => `${[...files].join(' and ')} import ${internal}: internals of a library belong to one file`)
}

function isInternal (specifier: string): boolean {
  return pgInternals.test(specifier) || (specifier.startsWith('drizzle-orm/') && !drizzleDoors.has(specifier))
}
