import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { call } from '../migrations/cli/calling.js'
import { filesOf, serviceFiles } from './trees.js'

type Tree = Parameters<Test['testdir']>[0]

/** Runs init in a folder with these files, and checks that each of them but package.json stays as it was. */
async function initIn (t: Test, tree: Tree) {
  const cwd = t.testdir(tree)
  const before = filesOf(cwd)
  const { code, out, err } = await call(cwd, ['init', '--json'])
  t.match({ code, err }, { code: 0, err: '' })
  const after = filesOf(cwd)
  for (const [path, text] of Object.entries(before)) if (path !== 'package.json') t.equal(after[path], text, path)
  const { written, added, kept, advice, next } = JSON.parse(out) as Record<'written' | 'added' | 'kept' | 'advice' | 'next', string[]>
  t.strictSame([...written].sort(), Object.keys(after).filter((path) => !(path in before)).sort(), 'the report names every new file')
  return { cwd, written, added, kept, advice: advice.join('\n'), next, after }
}

const program = {
  'package.json': '{\n\t"name": "shop",\n\t"type": "module",\n\t"scripts": { "start": "node src/app.js", "test": "vitest" },\n\t"dependencies": {\n\t\t"fastify": "^5.0.0"\n\t}\n}\n',
  'tsconfig.json': '{}\n',
  '.gitignore': 'node_modules\n/.env\n',
  src: { 'app.ts': "import Fastify from 'fastify'\nexport const app = Fastify()\n" }
}

t.test('a program with a Fastify server gets a table, its migration and the commands, and the two lines for its server', async (t) => {
  const { after, written, kept, added, advice, next } = await initIn(t, program)

  t.strictSame(written, serviceFiles.filter((path) => /^(schema|drizzle)/.test(path)))
  t.strictSame(kept, ['tsconfig.json', '.gitignore'])
  t.equal(after['package.json'], program['package.json']
    .replace('"vitest" }', '"vitest", "typecheck": "tsc", "migrate": "data-access migrate up", "migrate:create": "data-access migrate create" }')
    .replace('"^5.0.0"\n\t}\n', () => {
      const { dependencies: { fastify, ...dependencies }, devDependencies } = JSON.parse(after['package.json']!)
      const lines = (values: object) => Object.entries(values).map(([name, version]) => `\n\t\t"${name}": "${version}"`).join(',')
      return `"^5.0.0",${lines(dependencies)}\n\t},\n\t"devDependencies": {${lines(devDependencies)}\n\t}\n`
    }))
  t.strictSame(added.filter((name) => !name.startsWith('scripts')), [
    ...['@sinclair/typebox', 'drizzle-orm', 'drizzle-typebox', 'fastify-data-access', 'pg', 'tsx'].map((name) => `dependencies.${name}`),
    ...['@types/node', 'drizzle-kit', 'typescript'].map((name) => `devDependencies.${name}`)
  ])
  t.equal(advice, [
    '.gitignore does not name .data: add it, so that no row and no password is committed.',
    'src/app.ts makes a Fastify server. Add there:',
    "  import dataAccess from 'fastify-data-access'; import * as schema from '../schema.js'",
    "  await app.register(dataAccess, { schema, casing: 'snake_case' })"
  ].join('\n'))
  t.strictSame(next, ['npm install', 'npm run typecheck', 'npm run migrate'])
})

t.test('a folder that has a README only gets the whole service', async (t) => {
  const { written } = await initIn(t, { 'README.md': '# shop\n' })

  t.strictSame(written, serviceFiles.filter((path) => path !== 'README.md'))
})

t.test('the text for a terminal says the same', async (t) => {
  const { out } = await call(t.testdir(program), ['init'])

  t.match(out, /^Wrote\n[^]*\n {2}package\.json, with scripts\.typecheck, [^]*\n\nLeft as they are\n {2}tsconfig\.json\n {2}\.gitignore\n\n\.gitignore does not/)
  t.match(out, /\n\nsrc\/app\.ts makes a Fastify server\. Add there:\n {2}import .*\n {2}await app\.register.*\n\nNext\n {2}npm install\n/)
})

t.test('a CommonJS package gets the same service as .mts, and its type stays', async (t) => {
  const manifest = '{"name":"shop","type":"commonjs","scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}'
  const { after, advice, next } = await initIn(t, { 'package.json': manifest })

  t.ok(after['package.json']!.startsWith(manifest.slice(0, -2)))
  t.ok(['schema.mts', 'build-server.mts', 'server.mts', 'notes.test.mts', 'drizzle.config.mts'].every((path) => path in after))
  t.match(after['build-server.mts'], "from './schema.mjs'")
  t.match(after['drizzle.config.mts'], "'./schema.mts'")
  t.notMatch(Object.values(after).join(''), /\b(schema|server|config|test)\.(ts|js)\b/)
  t.match(JSON.parse(after['package.json']!), { type: 'commonjs', scripts: { start: 'node --import tsx server.mts' } })
  t.equal(advice, 'package.json has a script "test" of its own. The one of init is: node --import tsx --test *.test.mts')
  t.strictSame(next, ['npm install', 'node --import tsx --test *.test.mts', 'npm start'])
})

t.test('a CommonJS server gets lines that it can run', async (t) => {
  const { advice } = await initIn(t, { 'package.json': '{}', 'app.js': "const fastify = require('fastify')()\n" })

  t.equal(advice, [
    'app.js makes a Fastify server. Add there, in an async function:',
    "  const { default: dataAccess } = await import('fastify-data-access'), schema = await import('./schema.mjs')",
    "  await fastify.register(dataAccess, { schema, casing: 'snake_case' })",
    'Run it with node --import tsx app.js: schema.mts is TypeScript.'
  ].join('\n'))
})

t.test('a server in TypeScript gets the same lines in a CommonJS package', async (t) => {
  const { advice } = await initIn(t, { 'package.json': '{}', src: { 'app.ts': program.src['app.ts'] } })

  t.match(advice, 'src/app.ts makes a Fastify server. Add there, in an async function:\n  const { default: dataAccess } = await import(')
  t.match(advice, "schema = await import('../schema.mjs')\n  await app.register(")
})

t.test('a program that has tables keeps them, and gets no other table, migration or server', async (t) => {
  const cases: ReadonlyArray<readonly [tree: Tree, reason: string]> = [
    [{ 'drizzle.config.json': '{}' }, 'drizzle.config.json is there already'],
    [{ src: { db: { 'schema.ts': '' } } }, 'src/db/schema.ts is there already'],
    [{ 'schema.ts': 'export const own = 1\n' }, 'schema.ts is there already'],
    [{ drizzle: { '0000_own.sql': '' } }, 'The folder drizzle is there already'],
    [
      { 'package.json': '{ "devDependencies": { "drizzle-orm": "^1.0.0-rc.5" } }' },
      'package.json names drizzle-orm ^1.0.0-rc.5, and the files of init are for 0.45'
    ]
  ]
  for (const [tree, reason] of cases) {
    const { after, written, advice, next } = await initIn(t, tree)
    t.strictSame(written.filter((path) => path !== 'package.json'), ['tsconfig.json', '.gitignore'], reason)
    t.ok(advice.startsWith(`${reason}, so no table and no migration was added.`), reason)
    t.strictSame(next, ['npm install', 'npm run typecheck', 'npm run migrate'])
    const { scripts, dependencies, devDependencies } = JSON.parse(after['package.json']!)
    t.strictSame(Object.keys(scripts).sort(), ['migrate', 'migrate:create', 'typecheck'])
    t.strictSame(Object.keys({ ...dependencies, ...devDependencies }).sort(), ['@types/node', 'drizzle-orm', 'fastify-data-access', 'pg', 'typescript'])
  }
})

t.test('a program with tables and a server gets the line that registers its own schema', async (t) => {
  const server = "const Fastify = require('fastify')\nconst web = Fastify()\n"
  const { advice } = await initIn(t, { 'package.json': '{}', 'schema.js': '', 'app.js': server })
  t.match(advice, "  const { default: dataAccess } = await import('fastify-data-access')\n  await web.register(dataAccess, { schema })          // schema: your tables")
  t.match((await initIn(t, { 'schema.ts': '', 'app.ts': server.replace("const Fastify = require('fastify')", "import Fastify from 'fastify'") })).advice,
    "  import dataAccess from 'fastify-data-access'\n  await web.register(dataAccess, { schema })")
})

t.test('what git has to ignore is named', async (t) => {
  t.match((await initIn(t, { '.gitignore': '/.data/\n' })).advice, '.gitignore does not name node_modules and .env: add them, so that')
  t.equal((await initIn(t, { '.gitignore': '.data\n.env\nnode_modules/\n' })).advice, '')
})

t.test('a server that is no Fastify server stays the only one', async (t) => {
  const { written, advice } = await initIn(t, { 'server.ts': "import { createServer } from 'node:http'\n" })

  t.notOk(written.includes('build-server.ts'))
  t.ok(written.includes('schema.ts'))
  t.match(advice, 'server.ts is there already, so no other part of a server was added.')
})

t.test('packages of another series are named, and stay', async (t) => {
  const versions = { fastify: '4.x', pg: '^8.0.0', 'drizzle-orm': '~0.40.1', 'drizzle-kit': '^0.31.0', typescript: '5.9' }
  const { cwd, advice } = await initIn(t, { 'package.json': JSON.stringify({ type: 'module', peerDependencies: versions }) })

  t.match(advice, /^package\.json names fastify 4\.x\. This package is tested with \^5\.\d+\.\d+\.\npackage\.json names drizzle-orm ~0\.40\.1\. This package is tested with \^0\.45\.\d+\.$/)
  const { dependencies, devDependencies, peerDependencies } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'))
  t.strictSame(peerDependencies, versions)
  t.strictSame(Object.keys({ ...dependencies, ...devDependencies }).filter((name) => name in versions), [])
})

t.test('a migration is not added to a folder that has one', async (t) => {
  const { cwd } = await initIn(t, {})
  rmSync(join(cwd, 'drizzle/0000_notes.down.sql'))

  t.match(await call(cwd, ['init']), { code: 0, out: /^Nothing to write/ })
  t.notOk(readdirSync(join(cwd, 'drizzle')).includes('0000_notes.down.sql'))
})
