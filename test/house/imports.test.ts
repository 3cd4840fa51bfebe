import t from 'tap'
import { findWrongArrows } from './arrows.js'
import { findCircles, readImports } from './imports.js'
import { projectRoot, readTree } from './source-files.js'

function checkTree (root: string): string[] {
  const imports = readImports(readTree(root))
  return [...findWrongArrows(imports), ...findCircles(imports)]
}

t.test('imports of this project run one way', async (t) => {
  const files = readTree(projectRoot).filter((file) => /^(src|plugins|examples|test)\//.test(file.path))
  const imports = readImports(files)

  t.ok(imports.some(({ from, to }) => from === 'test/house/imports.test.ts' && to === 'test/house/arrows.ts'), 'the checker sees this very file')
  t.strictSame(findWrongArrows(imports), [])
})

t.test('no modules of this project load one another in a circle', async (t) => {
  t.strictSame(findCircles(readImports(readTree(projectRoot))), [])
})

t.test('the core reaches no Fastify from any of its doors', async (t) => {
  const imports = readImports(readTree(projectRoot).filter((file) => file.path.startsWith('src/')))
  const packages = new Set(imports.filter(({ isPackage }) => isPackage).map(({ to }) => to))

  t.ok(packages.has('drizzle-orm'))
  t.strictSame([...packages].filter((name) => name.includes('fastify')), [])
})

t.test('an import against the rule is named', async (t) => {
  const wrong: Array<[from: string, text: string, complaint: string]> = [
    ['src/database/database.ts', "import { plugin } from '../plugins/index.js'", 'src/database/database.ts imports plugins/index.ts: database may not know plugins'],
    ['src/index.ts', "export * from '../plugins/index.js'", 'src/index.ts imports plugins/index.ts: src may not know plugins'],
    ['src/index.ts', "import type { FastifyInstance } from 'fastify'", 'src/index.ts imports fastify: only plugins/ knows Fastify'],
    ['src/index.ts', "import fp from 'fastify-plugin'", 'src/index.ts imports fastify-plugin: only plugins/ knows Fastify'],
    ['src/pool/connection-pool.ts', "const pg = await import('@fastify/postgres')", 'src/pool/connection-pool.ts imports @fastify/postgres: only plugins/ knows Fastify'],
    ['src/pool/connection-pool.ts', "const pg = require('@fastify/postgres')", 'src/pool/connection-pool.ts imports @fastify/postgres: only plugins/ knows Fastify'],
    ['plugins/env.ts', "import { run } from '../examples/run.js'", 'plugins/env.ts imports examples/run.ts: plugins may not know examples'],
    ['examples/run.ts', "import { make } from '../test/make.js'", 'examples/run.ts imports test/make.ts: examples may not know test'],
    ['test/make.ts', "import { make } from '../benchmark/make.js'", 'test/make.ts imports benchmark/make.ts: outside of the house'],
    ['src/errors/errors.ts', "import { table } from '../model/table.js'", 'src/errors/errors.ts imports src/model/table.ts: errors may not know model'],
    ['src/model/row-functions.ts', "import { log } from '../log.js'", 'src/model/row-functions.ts imports src/runtime/logger.ts: model may not know log'],
    ['src/runtime/logger.ts', "import type { Settings } from './settings.js'", 'src/runtime/logger.ts imports src/settings/settings.ts: log may not know settings'],
    ['src/repository/repository.ts', "import { Session } from '../session/session.js'", 'src/repository/repository.ts imports src/session/session.ts: repository may not know session'],
    ['src/repository/repository.ts', "let runner: import('../database.js').Database", 'src/repository/repository.ts imports src/database/database.ts: repository may not know database'],
    ['src/repository/repository.ts', "import { kinds } from '../session/statement.js'", 'src/repository/repository.ts imports src/statement/statement.ts at run time: a repository knows only the types of a session'],
    ['src/session/session.ts', "import { openDatabase } from '../database.js'", 'src/session/session.ts imports src/database/database.ts: session may not know database'],
    ['src/connection/group.ts', "import { Session } from '../session/session.js'", 'src/connection/group.ts imports src/session/session.ts: pool may not know session']
  ]
  for (const [path, text, complaint] of wrong) {
    t.strictSame(findWrongArrows(readImports([{ path, text }])), [complaint], complaint)
  }
})

t.test('internals of pg and Drizzle are allowed in one file each, and named when a second one touches them', async (t) => {
  const one = { path: 'src/drizzle/queries/drizzle-session.ts', text: "import { NodePgSession } from 'drizzle-orm/node-postgres/session'\nimport utils from 'pg/lib/utils.js'" }
  const two = { path: 'src/session/second.ts', text: "import { NodePgSession } from 'drizzle-orm/node-postgres/session'\nimport utils from 'pg/lib/utils.js'" }

  t.strictSame(findWrongArrows(readImports([one])), [])
  t.strictSame(findWrongArrows(readImports([one, two])), [
    'src/drizzle/queries/drizzle-session.ts and src/session/second.ts import drizzle-orm/node-postgres/session: internals of a library belong to one file',
    'src/drizzle/queries/drizzle-session.ts and src/session/second.ts import pg/lib/utils.js: internals of a library belong to one file'
  ])
})

t.test('a tree on disk with a wrong arrow and a circle is refused', async (t) => {
  const root = t.testdir({
    src: {
      'database.ts': "import './session/session.js'",
      'health.ts': "export { probe } from './probe.js'",
      'probe.ts': "import { health } from './health.js'\nexport const probe = health",
      session: { 'session.ts': "import '../database.js'" }
    }
  })
  t.strictSame(checkTree(root), [
    'src/database/health-check.ts imports src/probe.ts: health may not know src',
    'src/session/session.ts imports src/database/database.ts: session may not know database',
    'src/database/database.ts -> src/session/session.ts -> src/database/database.ts',
    'src/database/health-check.ts -> src/probe.ts -> src/database/health-check.ts'
  ])
})

t.test('types and lazy imports close no circle', async (t) => {
  const root = t.testdir({
    test: {
      'a.ts': "import type { B } from './b.js'\nimport './c.js'",
      'b.ts': "import './a.js'",
      'c.ts': "export const load = () => import('./a.js')"
    }
  })
  t.strictSame(checkTree(root), [])
})
