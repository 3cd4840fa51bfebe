/** What every check of the packed file needs: empty projects, commands in them, and a count of the checks. */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

interface Manifest {
  readonly devDependencies: Readonly<Record<string, string>>
}

export const projectRoot = join(import.meta.dirname, '..', '..')
/** Where the packed file and the projects lie. */
export const cache = join(tmpdir(), `fastify-data-access-package-${userInfo().uid}`)
const { devDependencies } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as Manifest
/** The supported versions of TypeScript. */
export const compilers = ['5.9', '6.0', '7.0']

/** The number of checks that passed and failed so far. */
export const counts = { passed: 0, failed: 0 }

/** Runs one check, and prints how it ended. */
export async function check (title: string, fn: () => Promise<unknown>): Promise<void> {
  const started = Date.now()
  const seconds = (): string => `${Math.round((Date.now() - started) / 1000)} s`
  try {
    await fn()
    counts.passed++
    console.log(`ok - ${title} (${seconds()})`)
  } catch (error) {
    counts.failed++
    console.log(`not ok - ${title} (${seconds()})\n${outputOf(error)}`)
  }
}

/** The message of an error, and what the command printed. */
export function outputOf (error: unknown): string {
  const { stdout, stderr, message } = error as { stdout?: string, stderr?: string, message: string }
  return [message, stdout, stderr].filter(Boolean).join('\n')
}

/** The standard output of a command. */
export async function run (
  command: string,
  args: readonly string[],
  { cwd = projectRoot, env = {} }: { cwd?: string, env?: Record<string, string> } = {}
): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd, env: { ...process.env, ...env }, maxBuffer: 2 ** 26, timeout: 240_000 })
  return stdout
}

/** The path of the packed file. */
export async function pack (): Promise<string> {
  mkdirSync(cache, { recursive: true })
  const lines = (await run('npm', ['pack', '--silent', '--pack-destination', cache])).trim().split('\n')
  return join(cache, lines.at(-1) ?? '')
}

/** An empty project. Packages of an earlier run stay in it. */
export function emptyProject (name: string): string {
  const folder = join(cache, name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }))
  return folder
}

/** A project with the packed file and those packages in it. `flags` are those of `npm install`. */
export async function install (name: string, tarball: string, packages: readonly string[], ...flags: string[]): Promise<string> {
  const folder = emptyProject(name)
  // npm trusts a file of the same name and version to be the same.
  rmSync(join(folder, 'node_modules', 'fastify-data-access'), { recursive: true, force: true })
  const quiet = ['--no-save', '--no-package-lock', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', ['install', ...quiet, ...flags, tarball, ...packages], { cwd: folder })
  return folder
}

export function write (folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
}

/** Packages, in the versions that the tests use. */
export function wanted (...names: string[]): string[] {
  return names.map((name) => {
    const version = devDependencies[name] ?? ''
    // An alias names another package.
    return version.startsWith('npm:') ? version.slice('npm:'.length) : `${name}@${version}`
  })
}

function compilerOf (folder: string, version: string): string {
  const home = join(folder, 'node_modules', `typescript-${version}`)
  const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { bin: { tsc: string } }
  return join(home, bin.tsc)
}

/** Type-checks with our own declarations, too; those of other packages are theirs. Writes what the configuration says. */
export async function typeCheck (folder: string, version: string): Promise<void> {
  const printed = await run(process.execPath, [compilerOf(folder, version), '-p', '.', '--skipLibCheck', 'false', '--pretty', 'false'], { cwd: folder })
    .catch((error: unknown) => outputOf(error))
  // Without an error of its own, a compiler that failed has crashed.
  if (printed.startsWith('Command failed') && !printed.includes('error TS')) throw new Error(printed)
  const problems = printed.split('\n').filter((line) => line.includes('error TS') && (!line.startsWith('node_modules/') || line.startsWith('node_modules/fastify-data-access/')))
  if (problems.length > 0) throw new Error(problems.join('\n'))
}
