/**
 * Runs TypeScript as the compiler writes it, with a source map for the coverage, and keeps what it wrote: each of the hundred
 * processes of a test run would compile the same files again, and spend more time on it than on its tests.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const kept = new URL('../../.tap/compiled/', import.meta.url)
const config = await readFile(new URL('../../tsconfig.json', import.meta.url))
const lock = await readFile(new URL('../../package-lock.json', import.meta.url))
const own = await readFile(new URL(import.meta.url))
const setting = createHash('sha256').update(config).update(lock).update(own).digest('hex')

/** Sources import each other by the names of the JavaScript that is published. */
export function resolve (specifier, context, next) {
  if (/^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL?.endsWith('.ts')) {
    const source = new URL(specifier.replace(/js$/, 'ts'), context.parentURL)
    if (existsSync(source)) return { url: source.href, format: 'module', shortCircuit: true }
  }
  return next(specifier, context)
}

export async function load (url, context, next) {
  if (!/\.ts(\?|$)/.test(url)) return next(url, context)
  const file = fileURLToPath(url)
  const text = await readFile(file, 'utf8')
  const place = new URL(`${createHash('sha256').update(setting).update(text).digest('hex')}.js`, kept)
  const source = await readFile(place, 'utf8').catch(() => compile(file, text, place))
  return { format: 'module', source, shortCircuit: true }
}

async function compile (file, text, place) {
  const { default: ts } = await import('typescript')
  const { options } = ts.parseJsonConfigFileContent(ts.parseConfigFileTextToJson('tsconfig.json', `${config}`).config, ts.sys, fileURLToPath(new URL('../..', import.meta.url)))
  const { outputText } = ts.transpileModule(text, { fileName: file, compilerOptions: { ...options, module: ts.ModuleKind.ESNext, inlineSourceMap: true, inlineSources: true, sourceMap: false } })
  await mkdir(kept, { recursive: true })
  // Two processes may compile the same file: each reads a whole one.
  const draft = new URL(`${place.href}.${process.pid}`)
  await writeFile(draft, outputText)
  await rename(draft, place)
  return outputText
}
