import { mkdir, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions, type Metafile } from 'esbuild'
import { sharedFiles } from './shared-files.js'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
}

/** Programs that are started by their file. */
const programs = ['src/migrations/cli/command.ts', 'src/testing/postgres/shared-server-owner.ts']

/** The door whose start counts most: what it shares is in as few files as possible. */
const server = 'plugins/index.ts'
const core = 'src/index.ts'

/**
 * The doors that read a part of what the server reads, the smallest part first. Each part is one file, so that none of them reads what it does not need:
 * the doors of those who watch are imported before pg is, and migrations have no pool.
 */
const lighter = [['src/opentelemetry/index.ts', 'src/prometheus/index.ts'], ['src/migrations/index.ts']]

/** The source files that become a file of their own, under the same path: those of the doors in package.json, and programs. */
export function entryFiles (): string[] {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Manifest
  const doors = Object.values(exports).flatMap((target) => typeof target === 'string' ? [] : [target.default.replace(/^\.\/dist\/(.*)\.js$/, '$1.ts')])
  return [...doors, ...programs]
}

/**
 * Writes the JavaScript of the package into a folder: a start reads some files in place of some hundred. What several doors need is in files that they
 * share, so that a class is the same whichever door it comes from: see {@link sharedFiles}. What is imported on demand is in files of its own.
 *
 * The names of the shared files are known to src/statement/call-site.ts.
 */
export async function bundle (folder: string): Promise<Metafile> {
  const options = {
    absWorkingDir: root,
    entryPoints: entryFiles(),
    outbase: '.',
    outdir: folder,
    chunkNames: 'src/chunks/data-access-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: true,
    metafile: true,
    write: false,
    logLevel: 'warning'
  } satisfies BuildOptions
  const { metafile: { inputs } } = await build(options)
  const { metafile, outputFiles } = await build({ ...options, plugins: [sharedFiles({ root, inputs, server, core, lighter })] })
  for (const { path, text } of outputFiles) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, path.endsWith('.js') ? withClassNames(text) : text)
  }
  return metafile
}

/**
 * Gives a class that mentions itself its name back. esbuild writes it as `var Scope = class _Scope`, and stacks and logs would show the inner name.
 * A space takes the place of the underscore, so that the source map stays right.
 */
export function withClassNames (text: string): string {
  const names = new Set(Array.from(text.matchAll(/^var (\w+) = class _\1\b/gm), ([, name]) => name))
  return text.replace(/(?<![\w$.])_([A-Z]\w*)\b/g, (written, name) => names.has(name) ? `${name} ` : written)
}
