import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CommandUsageError } from './usage-error.js'

/** The exports of a module. For JSON, the value is the default export. */
export type Exports = Record<string, unknown>

/**
 * Loads a configuration or a schema. TypeScript is loaded with the loader that drizzle-kit installs, or else with Node's own.
 *
 * @param from the folder whose packages may have the loader
 * @throws {CommandUsageError} if nothing can load TypeScript, and for invalid JSON
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
    throw new CommandUsageError(`${path} is TypeScript, which this version of Node cannot load: install tsx, which drizzle-kit 0.31 brings along and 1.0 does not; or give --folder and DATABASE_URL, and the file is not needed`)
  }) as Exports
}

/** Parses JSON. The error of JSON.parse is dropped: it quotes the text, which may hold a password. */
function parseJson (text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CommandUsageError(`${path} is not JSON`)
  }
}

/** The path of tsx's ESM or CommonJS API, installed by the user or with drizzle-kit. */
export function findLoader (api: 'tsx/esm/api' | 'tsx/cjs/api', from: string): string | undefined {
  const project = createRequire(join(from, 'package.json'))
  for (const owner of [() => project, () => createRequire(project.resolve('drizzle-kit'))]) {
    try {
      const path = owner().resolve(api)
      // The .cjs file of the ESM API looks for its files in the wrong place.
      return api === 'tsx/esm/api' ? path.replace(/\.cjs$/, '.mjs') : path
    } catch {
      // Not installed there.
    }
  }
  return undefined
}
