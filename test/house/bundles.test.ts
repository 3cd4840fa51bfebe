import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import { bundle, entryFiles, withClassNames } from '../../build/bundles.js'
import { foreignPlaces } from '../../src/statement/call-site.js'
import { nodeOptions, withoutCoverage } from '../helpers/child.js'
import { projectRoot } from './source-files.js'
import type { Metafile } from 'esbuild'

const program = fileURLToPath(new URL('bundle-exports.js', import.meta.url))
// A folder of the project: the bundles find the packages, and package.json, as they do where the package is installed.
mkdirSync(join(projectRoot, '.tap'), { recursive: true })
const folder = mkdtempSync(join(projectRoot, '.tap', 'bundles-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const { outputs } = await bundle(folder)
const place = `${folder.slice(projectRoot.length).replace(/^[\\/]/, '').replaceAll('\\', '/')}/`

const published = (source: string): string => join(folder, source.replace(/\.ts$/, '.js'))

function node (...args: string[]): string {
  return execFileSync(process.execPath, args, { cwd: projectRoot, encoding: 'utf8', env: { ...process.env, ...withoutCoverage, NODE_OPTIONS: nodeOptions } })
}

/** The files that a bundle reads, on demand too if `lazily`. */
function reachedFrom (files: readonly string[], lazily: boolean, reached = new Set<string>()): Set<string> {
  for (const file of files) {
    if (reached.has(file)) continue
    reached.add(file)
    const next = outputs[file]?.imports.filter(({ external, kind }) => !external && (lazily || kind === 'import-statement')) ?? []
    reachedFrom(next.map(({ path }) => path), lazily, reached)
  }
  return reached
}

function sourcesOf (files: Iterable<string>, of: Metafile['outputs'] = outputs): string[] {
  return [...files].flatMap((file) => Object.keys(of[file]?.inputs ?? {}))
}

t.test('every door exports from its bundle what its source exports, and each thing is the same in all of them', async (t) => {
  const doors = entryFiles()
  const found = JSON.parse(node(program, ...doors.map(published))) as { names: Record<string, string[]>, split: string[], misnamed: string[] }

  t.ok(doors.length > 6)
  for (const door of doors) {
    const source = await import(pathToFileURL(join(projectRoot, door)).href)
    t.strictSame(found.names[published(door)]?.sort(), Object.keys(source).sort(), door)
  }
  t.strictSame(found.split, [])
  t.strictSame(found.misnamed, [])
})

t.test('a door reads no source that only an option needs, and every file that is written is read by a door', async (t) => {
  const [server = '', core = '', ...others] = entryFiles().map((file) => `${place}${file.replace(/\.ts$/, '.js')}`)
  const optional = /^src\/(migrations|testing|init|activity|recorder|figures|opentelemetry|prometheus)\//

  t.strictSame(sourcesOf(reachedFrom([server], false)).filter((file) => optional.test(file)), [])
  t.strictSame(sourcesOf(reachedFrom([core], false)).filter((file) => optional.test(file) || file.startsWith('plugins/')), [])
  // Each file costs the start about a millisecond: a door is one, what both share with others is three.
  t.equal(reachedFrom([server], false).size, 4)
  t.equal(reachedFrom([core], false).size, 4)
  t.ok(sourcesOf(reachedFrom([server], true)).includes('src/migrations/startup-migrations.ts'))
  const scripts = Object.keys(outputs).filter((file) => file.endsWith('.js'))
  t.strictSame(scripts.filter((file) => !reachedFrom([server, core, ...others], true).has(file)), [])
})

t.test('a door of those who watch, and of migrations, reads nothing of sessions, pools and repositories', async (t) => {
  const lighter = ['src/migrations/index', 'src/migrations/cli/command', 'src/opentelemetry/index', 'src/prometheus/index'].map((door) => `${place}${door}.js`)

  for (const door of lighter) t.strictSame(sourcesOf(reachedFrom([door], true)).filter((file) => /^(plugins|src\/(repository|session|pool|connection|database))\//.test(file)), [], door)
})

t.test('a file that is started by its path is there, and finds the files of the package', async (t) => {
  const script = `
    const [command, owner] = process.argv.slice(1)
    const { runCommand } = await import(command)
    const code = await runCommand(['--version'], { stdout: process.stdout, stderr: process.stderr, signal: new AbortController().signal })
    console.log(code, typeof (await import(owner)).ownSharedServer)`
  const urls = ['src/migrations/cli/command.ts', 'src/testing/postgres/shared-server-owner.ts'].map((file) => pathToFileURL(published(file)).href)
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string }

  t.equal(node('--input-type=module', '-e', script, ...urls), `${version}\n0 function\n`)
})

t.test('a stack of the program is told from that of the bundles', async (t) => {
  const files = Object.keys(outputs).filter((file) => sourcesOf([file]).includes('src/statement/call-site.ts'))

  t.equal(files.length, 1)
  t.strictSame(foreignPlaces(`Error\n    at file:///app/dist/${files[0]?.slice(place.length)}:1:1`).slice(0, 2), ['/app/dist/src/', '/app/dist/plugins/'])
})

t.test('a class that mentions itself has its name, at the same places of the file', async (t) => {
  const text = 'var A = class _A {\n  static of() {\n    return new _A(_A.#b, x._A, _Ab);\n  }\n};\nvar _C = class {\n};'
  t.equal(withClassNames(text), 'var A = class A  {\n  static of() {\n    return new A (A .#b, x._A, _Ab);\n  }\n};\nvar _C = class {\n};')
  for (const [file, { entryPoint }] of Object.entries(outputs)) {
    if (file.endsWith('.js')) t.notMatch(readFileSync(join(projectRoot, file), 'utf8'), /= class _/, entryPoint ?? file)
  }
})
