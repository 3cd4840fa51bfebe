import t from 'tap'
import { findMarks } from './marks.js'
import { projectRoot, readTree } from './source-files.js'

// These two files must contain the marks that they refuse.
const exempt = new Set(['test/house/marks.ts', 'test/house/marks.test.ts'])

t.test('the project names no machine, registry or other folder, skips no test, and keeps its types', async (t) => {
  const files = readTree(projectRoot).filter((file) => !exempt.has(file.path))

  t.ok(files.some((file) => file.path === 'package-lock.json'))
  t.ok(files.some((file) => file.path === '.ci/run'))
  t.strictSame(files.flatMap(findMarks), [])
})

t.test('each forbidden thing is found, with its line', async (t) => {
  const forbidden: Array<[path: string, text: string, complaint: string]> = [
    ['README.md', 'first\nsee /work/app/README.md', 'README.md:2 names a path of one machine'],
    ['a.ts', "open('/home/ada/x')", 'a.ts:1 names a path of one machine'],
    ['a.ts', "open('/Users/ada/x')", 'a.ts:1 names a path of one machine'],
    ['a.md', 'see `../shared/DESIGN.md`', 'a.md:1 names a folder outside of the project'],
    ['.npmrc', 'registry=https://registry.example.org/', '.npmrc:1 names a package registry'],
    ['package-lock.json', '"resolved": "x"', 'package-lock.json:1 names a package registry'],
    ['.ci/run', 'curl npmjs.org', '.ci/run:1 names a package registry'],
    ['a.test.ts', "t.only('x')", 'a.test.ts:1 leaves a test out'],
    ['a.test.ts', "t.skip('x')", 'a.test.ts:1 leaves a test out'],
    ['a.test.ts', "test.todo('x')", 'a.test.ts:1 leaves a test out'],
    ['a.test.ts', "t.test('x', { skip: true }, fn)", 'a.test.ts:1 leaves a test out'],
    ['a.test.ts', "t.test('x', { todo: 'later' }, fn)", 'a.test.ts:1 leaves a test out'],
    ['a.ts', '/* c8 ignore next */', 'a.ts:1 hides code from the coverage'],
    ['a.ts', '// v8 ignore start', 'a.ts:1 hides code from the coverage'],
    ['a.ts', '// @ts-ignore', 'a.ts:1 silences the compiler'],
    ['a.ts', '// TODO think', 'a.ts:1 leaves work for later'],
    ['a.ts', '\n\nlet a: any', 'a.ts:3 gives up on types'],
    ['a.ts', 'f(b as any)', 'a.ts:1 gives up on types'],
    ['a.ts', 'let c: Map<string, any>', 'a.ts:1 gives up on types']
  ]
  for (const [path, text, complaint] of forbidden) t.strictSame(findMarks({ path, text }), [complaint], `${path}: ${text}`)
})

t.test('text that only resembles a forbidden mark is allowed', async (t) => {
  const allowed: Array<[path: string, text: string]> = [
    ['a.ts', 'repo.getAll({ skip: 10, limit: 5 })'],
    ['a.test.ts', "await t.rejects(repo.getAll({ skip: '10' }))"],
    ['a.ts', '// any number of rows: any table'],
    ['a.md', 'a to-do list, ./root/x and https://example.org/home/'],
    ['a.ts', "import { shared } from '../sharing.js'"]
  ]
  for (const [path, text] of allowed) t.strictSame(findMarks({ path, text }), [], text)
})
