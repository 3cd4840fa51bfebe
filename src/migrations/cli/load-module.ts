import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CommandUsageError } from './usage-error.js'

/** A module's exports; for JSON its value, as the default export. */
export type Exports = Record<string, unknown>

/**
 * Loads a configuration or a schema: JavaScript and JSON as they are, TypeScript with the loader that drizzle-kit brings along, else with Node's own.
 *
 * @param from the folder whose packages are asked for the loader
 * @throws {CommandUsageError} where nothing can load TypeScript, and for JSON that is none
 */
export async function loadModule (path: string, from: string): Promise<Exports> {
  const extension = extname(path)
  if (extension === '.json') return { default: parseJson(await readFile(path, 'utf8'), path) }
  const url = pathToFileURL(path).href
  if (!/^\.[cm]?ts$/.test(extension)) return await import(url) as Exports
  const tsx = findLoader('tsx/esm/api', from)
  if (tsx !== undefined) {
    const { tsImport } = await import(pathToFileURL(tsx).href) as { tsImport (specifier: string, parent: string): Promise<Exports> }
    return await tsImport(url, pathToFileURL(join(from, 'package.json')).href)
  }
  return await import(url).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw cause
    throw new CommandUsageError(`${path} is TypeScript, which this Node does not read: install drizzle-kit, which brings a loader for it; or name --folder and DATABASE_URL, and it is not needed`)
  }) as Exports
}

/** JSON.parse quotes what it cannot read, which may be a password. */
function parseJson (text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CommandUsageError(`${path} is not JSON`)
  }
}

/** A half of tsx: installed by the user, or with drizzle-kit, which needs it for the same work. */
export function findLoader (half: 'tsx/esm/api' | 'tsx/cjs/api', from: string): string | undefined {
  const asked = createRequire(join(from, 'package.json'))
  for (const owner of [() => asked, () => createRequire(asked.resolve('drizzle-kit'))]) {
    try {
      const path = owner().resolve(half)
      // Required, the ESM half looks for its files in the wrong place.
      return half === 'tsx/esm/api' ? path.replace(/\.cjs$/, '.mjs') : path
    } catch {
      // Not there: the next one.
    }
  }
  return undefined
}
