/** Runs the same requests against the service in all five forms: installs the packages of this folder, generates Prisma's client, and checks the types. */
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const folder = import.meta.dirname
const root = join(folder, '..', '..')

function run (command: string, args: readonly string[], cwd: string): void {
  // `generate` needs no engine, but the command would download the one for migrations unless it has a path to one. Any file is enough.
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: 'true', CHECKPOINT_DISABLE: '1' }
  execFileSync(command, args, { cwd, env, stdio: 'inherit' })
}

run('npm', ['ci', '--ignore-scripts', '--no-fund', '--no-audit'], folder)
const prisma = createRequire(import.meta.url).resolve('prisma/build/index.js')
run(process.execPath, [prisma, 'generate', '--schema', 'prisma/schema.prisma'], folder)
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc')
run(process.execPath, [compiler, '-p', folder], root)
const tsx = createRequire(import.meta.url).resolve('tsx/cli')
for (const file of ['coming-from.test.ts', 'with-packages-of-their-own.ts']) {
  run(process.execPath, [tsx, '--tsconfig', join(folder, 'tsconfig.json'), join(folder, file)], root)
}
