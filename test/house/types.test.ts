/** Tests with the compiler and an editor's service: assertions on the types of libraries, hovers, and the code of the pages. */
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { doors } from '../../site/reference/doors.js'
import { readExports } from '../../site/reference/exports.js'
import { readMembers } from '../../site/reference/members.js'
import { referencePages, referencePaths } from '../../site/reference/reference-pages.js'
import { settingRows } from '../../src/settings/setting-table.js'
import { run } from '../../src/migrations/cli/subcommands.js'
import { findLooksBehind } from './casts.js'
import { openService, readConfig } from './compiler.js'
import { exampleFiles, exampleOptions, surroundingFiles } from './page-examples.js'
import { namesOf } from './reference.js'
import { projectRoot } from './source-files.js'

// Compiling beside other tests takes long on a busy machine.
t.setTimeout(600_000)

const calls = join(projectRoot, 'test/types/hovers/calls.ts')
const impossible = join(projectRoot, 'test/types/hovers/impossible.ts')
const { options } = readConfig(projectRoot, 'tsconfig.json')
const project = openService([calls, impossible, ...readConfig(projectRoot, 'tsconfig.build.json').fileNames], options)

/** The compiler's errors for one file, each as `line message`. */
function mistakesIn (service: ts.LanguageService, fileName: string): string[] {
  return [...service.getSyntacticDiagnostics(fileName), ...service.getSemanticDiagnostics(fileName)].map(({ file, start = 0, messageText }) =>
    `${(file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
}

// Hovers are read first: the compiler shows the keys of a type in the order in which their names first occurred.

/** The type that an editor shows for a name of calls.ts, in one line. */
function hover (name: string): string {
  const position = ts.sys.readFile(calls)?.indexOf(`const ${name} =`) as number
  const shown = project.getQuickInfoAtPosition(calls, position + 'const '.length)
  return ts.displayPartsToString(shown?.displayParts).replace(/\s+/g, ' ').replace(`const ${name}: `, '')
}

const user = '{ id: number; name: string; email: string | null; }'
const noOthers = 'readonly id?: undefined; readonly email?: undefined;'
const hovers: Readonly<Record<string, string>> = {
  get: `${user} | undefined`,
  getSome: '{ id: number; name: string; } | undefined',
  getBy: `${user} | undefined`,
  filter: `${user}[]`,
  first: `${user} | undefined`,
  paginate: `Paginated<${user}>`,
  cursor: `CursorResult<${user}>`,
  create: user,
  update: `${user} | undefined`,
  upsert: `{ readonly row: ${user}; readonly created: boolean; }`,
  getOrCreate: `{ readonly row: ${user}; readonly created: boolean; }`,
  related: '{ id: number; name: string; email: string | null; posts: { open: boolean | null; }[]; } | undefined',
  createNamed: `(values: { readonly name: string | SQL<unknown>; ${noOthers} }) => Promise<${user}>`,
  updateNamed: `(id: number, values: { readonly name?: string | SQL<unknown> | undefined; ${noOthers} }, options?: { readonly expectedVersion?: undefined; } | undefined) => Promise<${user} | undefined>`
}

for (const [name, text] of Object.entries(hovers)) {
  t.test(`an editor shows the columns of ${name}`, async (t) => {
    t.equal(hover(name), text)
  })
}

t.test('every call whose text is compared compiles', async (t) => {
  t.strictSame(mistakesIn(project, calls), [])
})

t.test('an impossible call has an error that names the way out, a wrong column those that can be named', async (t) => {
  const errors = project.getSemanticDiagnostics(impossible).map(({ messageText }) => typeof messageText === 'string' ? messageText : messageText.messageText)
  t.strictSame(errors.map((text) => text.slice(text.search(/'this' of type|in type|to parameter|to type/))), [
    ...Array(4).fill('\'this\' of type \'Impossible<"add ...softDelete() to this table">\'.'),
    'in type \'Impossible<"declare a schema with this table in Register">\'.',
    'to parameter of type \'{ readonly id: number | SQL<unknown>; readonly name: string | SQL<unknown>; }\'.',
    'to type \'"id" | "name"\'.',
    'to type \'"name"\'.'
  ])
})

t.test('only src/pg looks behind the types of pg, and only src/drizzle behind those of Drizzle', async (t) => {
  t.strictSame(findLooksBehind(projectRoot, project.getProgram() as ts.Program), [])
})

t.test('no published type names the Drizzle 1.0 of the tests, which no program has installed', async (t) => {
  const users = readConfig(projectRoot, 'tsconfig.build.json').fileNames.filter((name) => ts.sys.readFile(name)?.includes('drizzle-orm-1'))
  t.ok(users.length > 0)
  const published = users.filter((name) => project.getEmitOutput(name, true, true).outputFiles.some(({ text }) => text.includes('drizzle-orm-1')))
  t.strictSame(published, [])
})

t.test('an assertion that looks behind a type is found; one between types of a library is allowed', async (t) => {
  const peeks = `
    import pg from 'pg'
    import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
    export const waiting = (pool: pg.Pool): unknown => (pool as unknown as { _pendingQueue: unknown })._pendingQueue
    export const config = <C extends PgColumn>(column: C): unknown => (column as never as { config: unknown }).config
    export const table = (column: PgColumn): PgTable => column.table as PgTable
    export const mine = (value: unknown): { a: 1 } => value as { a: 1 }
    export const names = ['a'] as const
  `
  const root = t.testdir({
    'package.json': '{ "type": "module" }',
    node_modules: t.fixture('symlink', `${projectRoot}/node_modules`),
    src: { 'peeks.ts': peeks, pg: { 'own.ts': peeks }, drizzle: { 'own.ts': peeks } }
  })

  const found = findLooksBehind(root, openService(
    ['src/peeks.ts', 'src/pg/own.ts', 'src/drizzle/own.ts'].map((path) => join(root, path)), { ...options, types: [] }
  ).getProgram() as ts.Program)
  const kinds = (path: string): string[] => found.filter((text) => text.startsWith(path)).map((text) => text.replace(/:\s.*/s, ''))
  t.strictSame(kinds('src/peeks.ts'), ['src/peeks.ts:4 looks behind the types of pg', 'src/peeks.ts:5 looks behind the types of drizzle'])
  t.strictSame(kinds('src/pg'), ['src/pg/own.ts:5 looks behind the types of drizzle'])
  t.strictSame(kinds('src/drizzle'), ['src/drizzle/own.ts:4 looks behind the types of pg'])
})

t.test('the TypeScript of README.md and of docs/ compiles', async (t) => {
  const examples = exampleFiles()
  const wrong = { 'wrong.ts': "import { users } from './schema.js'\nserver.get('/', (request) => request.repo(users).getBy({ emial: 'x' }))\n" }
  const files = { ...surroundingFiles(), ...examples, ...wrong }
  const folder = t.testdir(files)
  const names = Object.keys(files)
  const pages = openService(names.map((name) => join(folder, name)), exampleOptions)

  t.ok(Object.keys(examples).length >= 10)
  const mistakes = names.flatMap((name) => mistakesIn(pages, join(folder, name)).map((mistake) => `${name}:${mistake}`))
  t.strictSame(mistakes.filter((mistake) => !mistake.startsWith('wrong.ts')), [])
  t.match(mistakes.find((mistake) => mistake.startsWith('wrong.ts:2')), /emial/, 'a mistake is seen')
})

t.test('the reference lists exactly what the source exports', async (t) => {
  const pages = referencePages(project.getProgram() as ts.Program)
  const text = (name: string): string => String(pages.find(({ path }) => path === `reference/${name}.md`)?.text)
  t.strictSame(pages.map(({ path }) => path), referencePaths)

  const [, ...tables] = text('index').split('\n## ')
  t.strictSame(tables.map((table) => table.split('\n')[0]), doors.map(({ name }) => name))
  for (const [index, { file }] of doors.entries()) {
    t.strictSame(Array.from(String(tables[index]).matchAll(/^\| \[`(\w+)`\]/gm), ([, name]) => String(name)).sort(), await namesOf(file), file)
  }
  const links = Array.from(text('index').matchAll(/^\| \[`\w+`\]\(\/([^)]+)\)/gm), ([, link]) => String(link))
  const sections = pages.flatMap(({ path, text }) => Array.from(text.matchAll(/^## \w+ \{#(\w+)\}$/gm), ([, name]) => `${path}#${String(name)}`))
  t.strictSame([...new Set(links)].sort(), sections.sort(), 'each has one section')

  t.strictSame(settingRows.map(({ path }) => path).filter((path) => !text('environment').includes(`| \`${path}\` |`)), [])
  t.strictSame(Array.from(text('command').matchAll(/^## migrate (.+)$/gm), ([, name]) => name).sort(), Object.keys(run).sort())
})

t.test('the reference shows each text of a docstring whole, and without the marks of its comment', async (t) => {
  const lines = referencePages(project.getProgram() as ts.Program).flatMap(({ text }) => text.replace(/^```.*?^```$/gms, '').split('\n'))
  const throwing = lines.filter((line) => line.startsWith('- Throws'))
  t.ok(throwing.length > 100)
  t.strictSame(throwing.filter((line) => !/^- Throws \[?`\w+`\S* [a-z`].{10}/.test(line)), [])
  t.strictSame(lines.filter((line) => /\s\*$|\{@(?!inheritDoc)|\*\/$/.test(line)), [])
})

t.test('every export has a docstring, and every option a meaning', async (t) => {
  const checker = (project.getProgram() as ts.Program).getTypeChecker()
  const exports = readExports(project.getProgram() as ts.Program)
  t.strictSame(exports.filter(({ docs }) => docs.text === '').map(({ name }) => name), [])
  t.strictSame(exports.filter(({ name }) => name.endsWith('Options')).flatMap((exported) => readMembers(exported, checker)
    .filter(({ docs, signatures: [type = ''] }) => docs.text === '' && !exports.some(({ name }) => name === /^\w+/.exec(type)?.[0]))
    .map(({ name }) => `${exported.name}.${name}`)), [])
})

t.test('the files of a new service compile', async (t) => {
  const folder = join(projectRoot, 'templates/service')
  const { fileNames, options } = readConfig(folder, 'tsconfig.json')
  const service = openService(fileNames, { ...exampleOptions, ...options })

  t.ok(fileNames.length >= 5)
  t.strictSame(fileNames.flatMap((name) => mistakesIn(service, name).map((mistake) => `${name}:${mistake}`)), [])
})
