import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The path of a file of this package. Where the code that asks lies does not matter: the published package is bundled. */
export function ownPath (path: string): string {
  return join(dirname(createRequire(import.meta.url).resolve('fastify-data-access/package.json')), path)
}
