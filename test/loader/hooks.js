/**
 * Runs TypeScript as the compiler writes it, with a source map for the coverage, and keeps the result on disk. Without that, each of
 * some two hundred processes of a test run would compile the same files again, and spend more time on it than on its tests.
 *
 * Modules of node_modules are read here, too: the hooks of tap would send each of them through the coverage, which leaves them out.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

const compiled = new URL('../../.tap/compiled/', import.meta.url)
const config = readFileSync(new URL('../../tsconfig.json', import.meta.url))
const lock = readFileSync(new URL('../../package-lock.json', import.meta.url))
const own = readFileSync(new URL(import.meta.url))
const setting = createHash('sha256').update(config).update(lock).update(own).digest('hex')

/** Files of a library name each other by relative paths, which end with a type of module. */
const insideLibrary = /^file:.*\/node_modules\/.*\.m?js$/
const relative = /^\.{1,2}\/.*\.m?js$/
/** The type of module in a folder of a library, by its URL. */
const formats = new Map()
/** The comment at the end of a file. A library that writes such comments has one in its code, too: tsx. */
const sourceMapComment = /\n\/\/# sourceMappingURL=\S*\s*$/

/** Sources import each other by the names of the JavaScript that is published. */
export function resolve (specifier, context, next) {
  const { parentURL } = context
  if (parentURL === undefined || !relative.test(specifier)) return next(specifier, context)
  if (parentURL.endsWith('.ts')) {
    const source = new URL(specifier.replace(/js$/, 'ts'), parentURL)
    if (existsSync(source)) return { url: source.href, format: 'module', shortCircuit: true }
  }
  if (insideLibrary.test(parentURL)) {
    const { href } = new URL(specifier, parentURL)
    if (formatOf(href) === 'module') return { url: href, format: 'module', shortCircuit: true }
  }
  return next(specifier, context)
}

export function load (url, context, next) {
  if (/\.ts(\?|$)/.test(url)) return { format: 'module', source: compile(fileURLToPath(url)), shortCircuit: true }
  if (context.format !== 'module' || !insideLibrary.test(url)) return next(url, context)
  // Without its source map: Node would read the map at once, and no test looks into a library.
  return { format: 'module', source: readFileSync(new URL(url), 'utf8').replace(sourceMapComment, ''), shortCircuit: true }
}

/** What the nearest package.json says of a JavaScript file. */
function formatOf (url) {
  const folder = new URL('.', url).href
  if (url.endsWith('.mjs')) return 'module'
  if (!formats.has(folder)) formats.set(folder, formatIn(folder))
  return formats.get(folder)
}

function formatIn (folder) {
  const text = readIfThere(new URL('package.json', folder))
  if (text !== undefined) return JSON.parse(text).type
  return folder.endsWith('/node_modules/') ? undefined : formatOf(folder.slice(0, -1))
}

/** The JavaScript of a TypeScript file. */
function compile (file) {
  const text = readFileSync(file, 'utf8')
  const place = new URL(`${createHash('sha256').update(setting).update(basename(file)).update(text).digest('hex')}.js`, compiled)
  const known = readIfThere(place)
  if (known !== undefined) return known
  const ts = createRequire(import.meta.url)('typescript')
  const { options } = ts.parseJsonConfigFileContent(ts.parseConfigFileTextToJson('tsconfig.json', `${config}`).config, ts.sys, fileURLToPath(new URL('../..', import.meta.url)))
  const { outputText } = ts.transpileModule(text, { fileName: file, compilerOptions: { ...options, module: ts.ModuleKind.ESNext, inlineSourceMap: true, sourceMap: false } })
  mkdirSync(compiled, { recursive: true })
  // Two processes may compile the same file: each reads a whole one.
  const draft = new URL(`${place.href}.${process.pid}`)
  writeFileSync(draft, outputText)
  renameSync(draft, place)
  return outputText
}

function readIfThere (place) {
  try {
    return readFileSync(place, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}
