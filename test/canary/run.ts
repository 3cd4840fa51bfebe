/**
 * Installs the newest Drizzle 1.x into `.canary`, and runs the tests of test/drizzle-1 and the type tests with it:
 *
 *     npm run test:canary
 *     npm run test:canary -- --all              every test of test/drizzle-1/run.ts
 *     npm run test:canary -- --version 1.0.0-rc.5
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({ options: { all: { type: 'boolean', default: false }, version: { type: 'string' } } })
const root = join(import.meta.dirname, '..', '..')
/** In the project, so that its pg is found. */
const folder = join(root, '.canary')

/** The newest 1.x: a release, or else a release candidate. Versions of single commits have a hash at their end. */
function newestOf (name: string): string {
  const versions = JSON.parse(execFileSync('npm', ['view', name, 'versions', '--json'], { encoding: 'utf8' })) as string[]
  for (const kind of [/^1\.\d+\.\d+$/, /^1\.\d+\.\d+-rc\.\d+$/]) {
    const newest = versions.filter((version) => kind.test(version)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1)
    if (newest !== undefined) return newest
  }
  throw new Error(`${name} has no version 1.x`)
}

function write (name: string, content: object): void {
  writeFileSync(join(folder, name), JSON.stringify(content, null, 2))
}

/** Runs a command that shows its output. */
function passes (command: string, args: readonly string[], { cwd = root, env = {} } = {}): boolean {
  return spawnSync(command, args, { cwd, stdio: 'inherit', env: { ...process.env, ...env } }).status === 0
}

const packages = ['drizzle-orm', 'drizzle-kit'].map((name) => `${name}@${options.version ?? newestOf(name)}`)
console.log(`With ${packages.join(' and ')}`)
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder)
write('package.json', { private: true })
// Without peers: pg must be the one of the project.
if (!passes('npm', ['install', '--no-audit', '--no-fund', '--legacy-peer-deps', ...packages], { cwd: folder })) process.exit(1)
write('tsconfig.json', {
  extends: '../test/types/drizzle-1/tsconfig.json',
  compilerOptions: {
    paths: {
      'drizzle-orm': ['./node_modules/drizzle-orm/index.d.ts'],
      'drizzle-orm/*': ['./node_modules/drizzle-orm/*.d.ts', './node_modules/drizzle-orm/*/index.d.ts']
    }
  },
  include: ['../test/types/*.tst.ts', '../test/types/drizzle-1/*.tst.ts']
})
write('tstyche.json', { rootPath: '..', testFileMatch: ['test/types/*.tst.ts', 'test/types/drizzle-1/*.tst.ts'], tsconfig: './tsconfig.json' })

const files = options.all ? [] : readdirSync(join(root, 'test/drizzle-1')).filter((name) => name.endsWith('.test.ts')).map((name) => `test/drizzle-1/${name}`)
const results = {
  tests: passes('npx', ['tsx', 'test/drizzle-1/run.ts', '--reporter=terse', ...files], { env: { DRIZZLE: folder } }),
  types: passes('npx', ['tstyche', '--config', join(folder, 'tstyche.json')])
}
for (const [step, passed] of Object.entries(results)) console.log(`${step} ${passed ? 'pass' : 'FAIL'} with ${packages.join(' and ')}`)
process.exitCode = Object.values(results).every(Boolean) ? 0 : 1
