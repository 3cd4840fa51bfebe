import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readConfig, readSchema, tableOf, urlOf } from '../../../../src/migrations/cli/drizzle-config.js'
import { findFiles } from '../../../../src/migrations/cli/find-files.js'

t.test('reads a configuration however it is exported', async (t) => {
  const folder = t.testdir({
    'named.mjs': "export const dialect = 'postgresql'\nexport const out = 'a'",
    'common.cjs': "module.exports = { dialect: 'postgresql', out: 'b' }",
    'compiled.cjs': "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = { dialect: 'postgresql', out: 'c' }",
    'nothing.mjs': 'export default null'
  })

  t.match(await readConfig('named.mjs', folder), { out: 'a' })
  t.match(await readConfig('common.cjs', folder), { out: 'b' })
  t.match(await readConfig('compiled.cjs', folder), { out: 'c' })
  await t.rejects(readConfig('nothing.mjs', folder), { name: 'UsageError', message: /not for PostgreSQL/ })
  t.strictSame(await readConfig(undefined, folder), {})
})

t.test('reads the schemas of several files, CommonJS among them', async (t) => {
  const folder = t.testdir({ 'a.cjs': 'exports.one = Symbol.for("one")', 'b.mjs': 'export const two = Symbol.for("two")' })

  const schema = await readSchema({ schema: ['./*.cjs', './b.mjs'] }, folder)
  t.strictSame(new Set(Object.values(schema ?? {})), new Set([Symbol.for('one'), Symbol.for('two')]))
  t.equal(await readSchema({}, folder), undefined)
})

t.test('makes a URL of the parts of a database', async (t) => {
  const parts = { host: 'db', database: 'a b' }
  t.equal(urlOf({}), undefined)
  t.equal(urlOf({ dbCredentials: {} }), undefined)
  t.equal(urlOf({ dbCredentials: { host: 'db' } }), undefined)
  t.equal(urlOf({ dbCredentials: { url: 'postgresql://db/a' } }), 'postgresql://db/a')
  t.equal(urlOf({ dbCredentials: parts }), 'postgresql://db/a%20b')
  t.equal(urlOf({ dbCredentials: { ...parts, user: 'a@b', ssl: true } }), 'postgresql://a%40b@db/a%20b?sslmode=require')
  t.equal(
    urlOf({ dbCredentials: { ...parts, user: 'a', password: 'p/w', port: 1, ssl: 'verify-full' } }),
    'postgresql://a:p%2Fw@db:1/a%20b?sslmode=verify-full'
  )
  t.equal(tableOf({}), 'drizzle.__drizzle_migrations')
})

t.test('finds files as drizzle-kit does', async (t) => {
  const root = t.testdir({
    a: { 'one.ts': '', 'two.js': '', 'notes.md': '', b: { 'three.ts': '', 'four.tsx': '' }, node_modules: { 'five.ts': '' } }, 'six.mts': ''
  })
  const found = (pattern: string) => findFiles(join(root, pattern)).map((file) => file.slice(root.length + 1))

  t.strictSame(found('a/one.ts'), ['a/one.ts'])
  t.strictSame(found('a'), ['a/one.ts', 'a/two.js'])
  t.strictSame(found('a/*.ts'), ['a/one.ts'])
  t.strictSame(found('**/*.ts'), ['a/b/three.ts', 'a/one.ts'])
  t.strictSame(found('a/**'), ['a/b/three.ts', 'a/one.ts', 'a/two.js'])
  t.strictSame(found('a/{one,two}.?s'), ['a/one.ts', 'a/two.js'])
  t.strictSame(found('nothing.ts'), [])
  t.strictSame(found('nowhere/*.ts'), [])
  t.strictSame(found('a/one.ts/*.ts'), [])
})

t.test('TypeScript that nothing can load is refused with the way out, and other errors are told as they are', async (t) => {
  // Outside of the project there is no loader to be found.
  const folder = mkdtempSync(join(tmpdir(), 'config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'old.ts'), "throw Object.assign(new Error('unknown'), { code: 'ERR_UNKNOWN_FILE_EXTENSION' })")
  writeFileSync(join(folder, 'broken.ts'), "throw new Error('broken')")

  await t.rejects(readConfig('old.ts', folder), { name: 'UsageError', message: /install drizzle-kit/ })
  await t.rejects(readConfig('broken.ts', folder), { message: 'broken' })
})
