// Builds the library as npm would install it, and Prisma's client.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '..')
const root = join(folder, '..')

/** Builds this project, and places it into `node_modules` as it is published. It uses the same copies of pg, Drizzle and Fastify as the peers. */
export function installLibrary () {
  const target = join(folder, 'node_modules', 'fastify-data-access')
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' })
  cpSync(join(root, 'dist'), join(target, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(target, 'package.json'))
}

/** Generates Prisma's client into `dist/prisma`, and compiles it. */
export function generatePrisma () {
  const target = join(folder, 'dist', 'prisma')
  if (existsSync(join(target, 'client.js'))) return
  // `generate` needs no engine, but the command would download the one for migrations unless it has a path to one. Any file is enough.
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: 'true', CHECKPOINT_DISABLE: '1' }
  const command = createRequire(import.meta.url).resolve('prisma/build/index.js')
  execFileSync(process.execPath, [command, 'generate', '--schema', 'prisma/schema.prisma'], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] })
  stripTypes(target)
}

/** Compiles each file of the generated TypeScript client in place. */
function stripTypes (target) {
  const ts = createRequire(join(root, 'package.json'))('typescript')
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext }
  for (const name of readdirSync(target, { recursive: true })) {
    if (!name.endsWith('.ts')) continue
    const { outputText } = ts.transpileModule(readFileSync(join(target, name), 'utf8'), { compilerOptions })
    writeFileSync(join(target, name.replace(/ts$/, 'js')), outputText)
  }
}
