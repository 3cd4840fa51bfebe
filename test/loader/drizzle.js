/**
 * Loads Drizzle 1.0 in place of 0.45 if the variable DRIZZLE is set, in this process and in those that it starts:
 *
 *     DRIZZLE=1 node --import ./test/loader/drizzle.js program.js
 *
 * `1` means drizzle-orm-1 and drizzle-kit-1, which are installed beside 0.45. Any other value is the absolute path of a folder that
 * has drizzle-orm and drizzle-kit installed.
 */
import Module, { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { redirect } from './redirect.js'

const drizzle = process.env['DRIZZLE'] ?? ''
if (drizzle !== '') {
  const here = import.meta.url
  register('./drizzle-hooks.js', here, { data: drizzle })
  // The hooks see no require().
  const resolveFilename = Module._resolveFilename
  Module._resolveFilename = function (request, parent, isMain, options) {
    const { specifier, parentURL } = redirect(request, drizzle)
    const from = parentURL === undefined ? options : { paths: [fileURLToPath(new URL('.', parentURL))] }
    return resolveFilename.call(this, specifier, parent, isMain, from)
  }
  const options = process.env['NODE_OPTIONS'] ?? ''
  if (!options.includes(here)) process.env['NODE_OPTIONS'] = `${options} --import=${here}`.trim()
}
