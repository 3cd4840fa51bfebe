import t from 'tap'
import { findServer } from '../../../src/init/find-server.js'

const nothing = (): boolean => false
const server = "import Fastify from 'fastify'\nconst app = Fastify({ logger: true })\n"

t.test('finds a server however it is made, with the name of its variable', async (t) => {
  const cases: ReadonlyArray<readonly [text: string, variable: string, takesByRequire: boolean]> = [
    [server, 'app', false],
    ["import { fastify, type FastifyInstance } from 'fastify'\nexport const server: FastifyInstance = fastify()", 'server', false],
    ["import Fastify from 'fastify'\nexport const build = () => Fastify<Server>({})", 'server', false],
    ["const fastify = require('fastify')({ logger: true })", 'fastify', true],
    ["const Fastify = require('fastify')\nlet web = await Fastify()", 'web', true]
  ]
  for (const [text, variable, takesByRequire] of cases) {
    t.strictSame(findServer(t.testdir({ src: { 'main.ts': text } }), nothing), { path: 'src/main.ts', variable, takesByRequire }, text)
  }
})

t.test('types, tests, packages and built files are no servers', async (t) => {
  const folder = t.testdir({
    'types.ts': "import type { FastifyInstance } from 'fastify'\nexport function routes (server: FastifyInstance) {}",
    'express.js': "import express from 'express'\nconst app = express()",
    'app.test.ts': server,
    'test.mjs': server,
    'app.d.ts': server,
    'notes.md': server,
    node_modules: { a: { 'index.js': server } },
    dist: { 'app.js': server },
    test: { 'helper.ts': server },
    '.cache': { 'app.js': server }
  })

  t.equal(findServer(folder, nothing), undefined)
})

t.test('files come before folders, and files that do not count are passed over', async (t) => {
  const folder = t.testdir({ a: { 'app.ts': server }, 'y.ts': server, 'z.ts': server })

  t.equal(findServer(folder, nothing)?.path, 'y.ts')
  t.equal(findServer(folder, (path) => !path.includes('/'))?.path, 'a/app.ts')
})

t.test('a folder with thousands of files is given up', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`a${index}.js`, '']))

  t.equal(findServer(t.testdir({ ...files, 'z.js': server }), nothing), undefined)
})
