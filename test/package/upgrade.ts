/** examples/realworld, upgraded to Drizzle 1.0 by docs/drizzle-1.md alone. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exampleWith } from '../helpers/markdown.js'
import { check, install, projectRoot, run, wanted } from './project.js'

const changes = exampleWith('docs/drizzle-1.md', '+++ app.ts', 'diff')

/** The example imports this package by relative paths. A project of its own imports it by its name. */
const doors: ReadonlyArray<[path: RegExp, door: string]> = [
  [/(\.\.\/)+plugins\/index\.js/, 'fastify-data-access'],
  [/(\.\.\/)+src\/migrations\/index\.js/, 'fastify-data-access/migrations'],
  [/(\.\.\/)+src\/testing\/index\.js/, 'fastify-data-access/testing'],
  [/\.\.\/quickstart\//, './'],
  [/\.\/examples\/realworld\//g, './']
]

/** Applies the changes of the page, upgrades the migrations, and runs the tests of the example over the result. */
export async function checkUpgrade (tarball: string, connectionString: string): Promise<void> {
  const folder = await install('upgraded', tarball, wanted(
    'drizzle-orm-1', 'drizzle-kit-1', 'pg', 'fastify', '@fastify/jwt', '@fastify/swagger', '@fastify/swagger-ui', '@fastify/type-provider-typebox',
    '@sinclair/typebox', '@types/node', 'tap', 'tsx', 'typescript'
  ))
  copyExample(folder)
  const npx = (...args: string[]) => run('npx', ['--no-install', ...args], { cwd: folder, env: { DATABASE_URL: connectionString } })
  await check('examples/realworld, upgraded by docs/drizzle-1.md, type-checks', () => npx('tsc', '-p', '.'))
  await check('its migrations, upgraded by the command, match its tables', async () => {
    await npx('data-access', 'migrate', 'upgrade', '--write')
    await npx('data-access', 'migrate', 'up')
    await npx('data-access', 'migrate', 'check')
  })
  for (const name of readdirSync(join(folder, 'test')).filter((name) => name.endsWith('.test.ts'))) {
    await check(`its test/${name} passes`, () => npx('tsx', `test/${name}`))
  }
}

function copyExample (folder: string): void {
  const source = join(projectRoot, 'examples', 'realworld')
  for (const name of readdirSync(folder)) if (name !== 'node_modules' && name !== 'package.json') rmSync(join(folder, name), { recursive: true })
  cpSync(source, folder, { recursive: true })
  cpSync(join(projectRoot, 'examples', 'quickstart', 'stop-on-signals.ts'), join(folder, 'stop-on-signals.ts'))
  applyChanges(folder, changes)
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts') || entry.startsWith('node_modules')) continue
    const file = join(folder, entry)
    writeFileSync(file, doors.reduce((text, [path, door]) => text.replace(path, door), readFileSync(file, 'utf8')))
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    compilerOptions: {
      module: 'nodenext', target: 'es2022', lib: ['es2023', 'esnext.disposable'], strict: true, exactOptionalPropertyTypes: true, noEmit: true, types: ['node'], skipLibCheck: true
    },
    include: ['**/*.ts']
  }))
}

/** Applies a unified diff. Each of its hunks must be found once. */
function applyChanges (folder: string, diff: string): void {
  for (const part of diff.split(/^--- .*\n\+\+\+ /m).slice(1)) {
    const name = part.slice(0, part.indexOf('\n'))
    const file = join(folder, name)
    let text = readFileSync(file, 'utf8')
    for (const hunk of part.split(/^@@.*\n/m).slice(1)) {
      const before = linesOf(hunk, '-')
      if (text.split(before).length !== 2) throw new Error(`${name} has these lines ${text.split(before).length - 1} times:\n${before}`)
      text = text.replace(before, () => linesOf(hunk, '+'))
    }
    writeFileSync(file, text)
  }
}

/** The lines of a hunk before (`-`) or after (`+`) the change. */
function linesOf (hunk: string, side: '-' | '+'): string {
  return hunk.split('\n').filter((line) => line.startsWith(' ') || line.startsWith(side)).map((line) => `${line.slice(1)}\n`).join('')
}
