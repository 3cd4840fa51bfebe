/** Finds Drizzle 1.0. */
import { pathToFileURL } from 'node:url'

/** A package by its name, or in the absolute path or the URL of a file: Vitest resolves packages itself. */
const packages = /(?<=^|^(?:file:|[\\/]|[A-Z]:).*[\\/]node_modules[\\/])drizzle-(?:orm|kit)(?=[\\/]|$)/
/** The beginning of such a path or URL. */
const root = /^(?:(file:)|[\\/]|[A-Z]:).*(?=[\\/]node_modules[\\/]drizzle-(?:orm|kit)[\\/])/

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
