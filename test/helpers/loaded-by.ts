import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { nodeOptions, withoutCoverage } from './child.js'
import type { DataAccessOptions } from '../../plugins/index.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = fileURLToPath(new URL('loading.ts', import.meta.url))
const loader = new URL('../loader/register.js', import.meta.url).href
/** A variable of the machine would be read by each server. */
const ofDatabases = /(^|_)DATABASE_|^WEB_CONCURRENCY$/

/** What one step loaded. */
export interface Loaded {
  /** The files of this package. */
  readonly files: string[]
  /** The folders of these files. */
  readonly folders: string[]
  /** Other packages than Drizzle, pg, those that they load and, if there are servers, Fastify and those that it loads. */
  readonly packages: string[]
}

/**
 * The modules that a new process loads for a door of this package, and then for each server that registers it with those options. `variables` among the
 * options are set in the environment before.
 */
export function loadedBy (door: string, ...registers: Array<DataAccessOptions & { variables?: Record<string, string> }>): Loaded[] {
  const outer = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofDatabases.test(name)))
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', loader, program, door, ...registers.map((options) => JSON.stringify(options))], {
    cwd: root, encoding: 'utf8', env: { ...outer, ...withoutCoverage, NODE_OPTIONS: nodeOptions }
  })
  if (status !== 0) throw new Error(stderr)
  const [others = [], ...steps] = JSON.parse(stdout) as string[][]
  const known = others.map(packageOf)
  return steps.map((paths) => {
    const files = paths.filter((path) => /^(src|plugins)\//.test(path))
    const packages = paths.map(packageOf).filter((name) => name !== undefined && !known.includes(name)) as string[]
    return { files, folders: sortedSet(files.map((path) => path.slice(0, path.lastIndexOf('/')))), packages: sortedSet(packages) }
  })
}

/** The package of a file in node_modules. */
function packageOf (path: string): string | undefined {
  return /.*(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]
}

function sortedSet (names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}
