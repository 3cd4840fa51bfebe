/** Finds Drizzle 1.0. */
import { pathToFileURL } from 'node:url'

const packages = /(?<=^|[\\/]node_modules[\\/])drizzle-(?:orm|kit)(?=[\\/]|$)/
/** The path or URL of a file up to the installed package: Vitest resolves packages itself. */
const root = /^(file:)?.*(?=[\\/]node_modules[\\/]drizzle-(?:orm|kit)[\\/])/

/**
 * Returns the specifier of a module of Drizzle 1.0, and the module that it is resolved from if this is not the importer. Other
 * specifiers stay the same.
 *
 * @param drizzle the value of the variable DRIZZLE
 */
export function redirect (specifier, drizzle) {
  // In 1.0, it is a part of drizzle-orm.
  if (specifier === 'drizzle-typebox') return redirect('drizzle-orm/typebox-legacy', drizzle)
  if (drizzle === '1') return { specifier: specifier.replace(packages, '$&-1') }
  const folder = pathToFileURL(drizzle).href
  if (root.test(specifier)) return { specifier: specifier.replace(root, (_, scheme) => scheme === undefined ? drizzle : folder) }
  return packages.test(specifier) ? { specifier, parentURL: `${folder}/package.json` } : { specifier }
}
