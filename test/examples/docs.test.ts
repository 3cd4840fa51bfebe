import { basename, join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { exampleWith, readPage } from '../helpers/markdown.js'
import { projectRoot, readTree } from '../house/source-files.js'

/** What the pages take for granted: a server and a request, tables, names of the application. */
const surroundings = `
import type { FastifyInstance, FastifyRequest } from 'fastify'
import dataAccess from 'fastify-data-access'
import type { NewUser } from './schema.js'

interface Call { ctx: { req: FastifyRequest }, next: () => Promise<{ ok: boolean }> }

declare global {
  var server: FastifyInstance
  var request: FastifyRequest
  var dataAccess: typeof import('fastify-data-access').default
  var people: NewUser[]
  var paths: string[]
  var t: { procedure: { use (call: (given: Call) => Promise<{ ok: boolean }>): unknown } }
}
export { dataAccess }
`

const otherTables = `
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
export const hits = pgTable('hits', { path: text().primaryKey(), views: integer().notNull() })
export const tags = pgTable('tags', { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull().unique(), colour: text() })
`

/** Those of docs/testing.md are run by test/package. */
const pages = ['README.md', ...readTree(projectRoot).map(({ path }) => path).filter((path) => /^docs\/(?!testing).*\.md$/.test(path))]

/** The TypeScript of all pages, by the name of a file. */
function examplesOf (paths: readonly string[]): Record<string, string> {
  return Object.fromEntries(paths.flatMap((path) => readPage(path).blocks
    .filter(({ language }) => language === 'ts')
    .map(({ heading, code }, index) => [`${basename(path, '.md')}-${index + 1}.ts`, `// ${path}, ${heading}\nexport {}\n${code}`])))
}

/** What the compiler says of these files, each as `file:line message`. */
function findMistakes (folder: string, names: readonly string[]): string[] {
  const program = ts.createProgram(names.map((name) => join(folder, name)), {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [join(projectRoot, 'node_modules', '@types')],
    paths: {
      'fastify-data-access': [join(projectRoot, 'plugins/index.ts')],
      'fastify-data-access/core': [join(projectRoot, 'src/index.ts')],
      'fastify-data-access/migrations': [join(projectRoot, 'src/migrations/index.ts')]
    }
  })
  return names.flatMap((name) => {
    const source = program.getSourceFile(join(folder, name))
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(({ start = 0, messageText }) =>
      `${name}:${(source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
  })
}

t.test('the TypeScript of README.md and of docs/ compiles', async (t) => {
  const examples = examplesOf(pages)
  const surrounding = {
    'schema.ts': exampleWith('README.md', "export const users = pgTable('users'"),
    'user-repository.ts': exampleWith('docs/repository.md', 'export class UserRepository'),
    'other-tables.ts': otherTables,
    'surroundings.ts': surroundings
  }
  const wrong = { 'wrong.ts': "import { users } from './schema.js'\nserver.get('/', (request) => request.repo(users).getBy({ emial: 'x' }))\n" }
  const folder = t.testdir({ ...surrounding, ...examples, ...wrong })

  t.ok(Object.keys(examples).length >= 10)
  const mistakes = findMistakes(folder, [...Object.keys(surrounding), ...Object.keys(examples), ...Object.keys(wrong)])
  t.strictSame(mistakes.filter((mistake) => !mistake.startsWith('wrong.ts')), [])
  t.match(mistakes.find((mistake) => mistake.startsWith('wrong.ts:2')), /emial/, 'what is wrong is seen')
})
