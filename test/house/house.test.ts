import t from 'tap'
import { findCircles, readImports } from './imports.js'
import { findLongTests } from './long-tests.js'
import { findCrowds, findHomeless, findWrongArrows, readRooms } from './rooms.js'
import { projectRoot, readTree } from './source-files.js'
import type { SourceFile } from './source-files.js'

const files = readTree(projectRoot)
const rooms = readRooms(textOf('CONTRIBUTING.md'))

function textOf (path: string): string {
  return String(files.find((file) => file.path === path)?.text)
}

t.test('a file imports its own room and rooms before it', async (t) => {
  const imports = readImports(files.filter((file) => /^(src|plugins|examples|site|test)\//.test(file.path)))

  t.ok(imports.some(({ from, to }) => from === 'test/house/house.test.ts' && to === 'test/house/rooms.ts'), 'the checker sees this very file')
  t.strictSame(findWrongArrows(imports, rooms), [])
})

t.test('no files import one another in a circle, types included', async (t) => {
  t.strictSame(findCircles(readImports(files)), [])
})

t.test('every file is in a room, and every room has its sentence', async (t) => {
  t.ok(rooms.length > 40)
  t.strictSame(findHomeless(files, rooms), [])
})

t.test('no folder has more than 16 files, no file more than 300 lines, and half of them at most 90', async (t) => {
  t.strictSame(findCrowds(files), [])
})

t.test('no test file has more than 300 lines, nor a line of more than 160 characters outside texts', async (t) => {
  t.strictSame(findLongTests(files), [])
  t.strictSame(findLongTests([
    { path: 'test/a.ts', text: `const a = '${'x'.repeat(300)}'\nconst b = /${'x'.repeat(300)}/\nconst c = \`\n${'x'.repeat(300)}\`\n` },
    { path: 'test/b.ts', text: `call('text', ${'x'.repeat(160)})\n` },
    { path: 'test/c.ts', text: 'call()\n'.repeat(301) },
    { path: 'test/types/d.tst.ts', text: 'x'.repeat(161) }
  ]), ['test/b.ts:1 has 168 characters outside texts', 'test/c.ts has 301 lines'])
})

t.test('the core reaches no Fastify from any of its doors', async (t) => {
  const imports = readImports(files.filter((file) => file.path.startsWith('src/')))
  const packages = new Set(imports.filter(({ isPackage }) => isPackage).map(({ to }) => to))

  t.ok(packages.has('drizzle-orm'))
  t.strictSame([...packages].filter((name) => name.includes('fastify')), [])
})

t.test('an import against the rule is named', async (t) => {
  const wrong: Array<[from: string, text: string, complaint: string]> = [
    [
      'src/database/database.ts',
      "import { plugin } from '../../plugins/index.js'",
      'src/database/database.ts imports plugins/index.ts: plugins comes after src/database'
    ],
    ['src/index.ts', "import type { FastifyInstance } from 'fastify'", 'src/index.ts imports fastify: only plugins/ knows Fastify'],
    ['src/index.ts', "import fp from 'fastify-plugin'", 'src/index.ts imports fastify-plugin: only plugins/ knows Fastify'],
    ['src/pool/slots.ts', "const pg = await import('@fastify/postgres')", 'src/pool/slots.ts imports @fastify/postgres: only plugins/ knows Fastify'],
    ['src/pool/slots.ts', "const pg = require('@fastify/postgres')", 'src/pool/slots.ts imports @fastify/postgres: only plugins/ knows Fastify'],
    ['examples/run.ts', "import { make } from '../test/make.js'", 'examples/run.ts imports test/make.ts: test comes after examples'],
    ['test/make.ts', "import { make } from '../benchmark/make.js'", 'test/make.ts imports benchmark/make.ts: it is in no room of CONTRIBUTING.md'],
    [
      'src/runtime/logger.ts',
      "import type { Settings } from '../settings/settings.js'",
      'src/runtime/logger.ts imports src/settings/settings.ts: src/settings comes after src/runtime'
    ],
    [
      'src/pg/client.ts',
      "import { handled } from '../runtime/promises.js'",
      'src/pg/client.ts imports src/runtime/promises.ts: src/pg takes nothing from there'
    ],
    [
      'src/repository/repository.ts',
      "import { Session } from '../session/session.js'",
      'src/repository/repository.ts imports src/session/session.ts: src/session comes after src/repository'
    ],
    [
      'src/repository/repository.ts',
      "let runner: import('../database/database.js').Database",
      'src/repository/repository.ts imports src/database/database.ts: src/database comes after src/repository'
    ],
    [
      'src/pool/slots.ts',
      "export * from '../repository/read/select.js'",
      'src/pool/slots.ts imports src/repository/read/select.ts: src/pool takes nothing from there'
    ],
    ['src/new/file.ts', "import '../runtime/logger.js'", '']
  ]
  for (const [path, text, complaint] of wrong) {
    t.strictSame(findWrongArrows(readImports([{ path, text }]), rooms), [complaint].filter(Boolean), complaint)
  }
})

t.test('a file without a room, a room without its sentence, a crowd and a circle are named', async (t) => {
  const few = readRooms('| `src/one` | The first. | |\n| `src/two` | The second. | imports `src/one` |\n')
  const tree: SourceFile[] = [
    { path: 'src/one/README.md', text: '# One\n\nThe first.\n' },
    { path: 'src/one/a.ts', text: "import type { B } from './b.js'\n" },
    { path: 'src/one/b.ts', text: "import type { A } from './a.js'\n" },
    { path: 'src/two/c.ts', text: "import '../one/a.js'\n".repeat(301) },
    { path: 'src/three/d.ts', text: '' },
    ...Array.from({ length: 17 }, (_, index) => ({ path: `src/many/f${index}.ts`, text: '\n'.repeat(90) + 'x\n' }))
  ]

  t.strictSame(findHomeless(tree, few).slice(0, 1), ['src/three/d.ts is in no room of CONTRIBUTING.md'])
  t.strictSame(findHomeless(tree, few).at(-1), 'src/two/README.md does not say: The second.')
  t.strictSame(findWrongArrows(readImports(tree.slice(3, 4)), few)[0], 'src/two/c.ts imports src/one/a.ts: src/two takes nothing from there')
  t.strictSame(findCrowds(tree), ['src/many has 17 files', 'src/two/c.ts has 301 lines', 'half of the files have more than 90 lines'])
  t.strictSame(findCircles(readImports(tree)), ['src/one/a.ts -> src/one/b.ts -> src/one/a.ts'])
})

t.test('a lazy import closes no circle', async (t) => {
  t.strictSame(findCircles(readImports([
    { path: 'test/a.ts', text: "import './b.js'" },
    { path: 'test/b.ts', text: "export const load = () => import('./a.js')" }
  ])), [])
})
