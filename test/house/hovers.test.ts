/** What an editor shows of the calls that programs make most, and what the compiler says of those that cannot be. */
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'

const root = join(import.meta.dirname, '../..')
const calls = join(root, 'test/types/hovers/calls.ts')
const impossible = join(root, 'test/types/hovers/impossible.ts')

const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config, ts.sys, root)
const { fileExists, readFile } = ts.sys
const service = ts.createLanguageService({
  fileExists,
  readFile,
  getCompilationSettings: () => options,
  getCurrentDirectory: () => root,
  getDefaultLibFileName: ts.getDefaultLibFilePath,
  getScriptFileNames: () => [calls, impossible],
  getScriptSnapshot: (file) => fileExists(file) ? ts.ScriptSnapshot.fromString(readFile(file) ?? '') : undefined,
  getScriptVersion: () => '1'
})

/** The type that an editor shows for a name of calls.ts, in one line. */
function hover (name: string): string {
  const position = readFile(calls)?.indexOf(`const ${name} =`) as number
  const shown = service.getQuickInfoAtPosition(calls, position + 'const '.length)
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
  t.strictSame(service.getSemanticDiagnostics(calls).map(({ messageText }) => messageText), [])
})

t.test('a call that cannot be says what would make it possible', async (t) => {
  const errors = service.getSemanticDiagnostics(impossible).map(({ messageText }) => typeof messageText === 'string' ? messageText : messageText.messageText)
  t.strictSame(errors.map((text) => text.slice(text.search(/'this' of type|in type|to parameter/))), [
    ...Array(4).fill('\'this\' of type \'Impossible<"add ...softDelete() to this table">\'.'),
    'in type \'Impossible<"declare a schema with this table in Register">\'.',
    'to parameter of type \'{ readonly id: number | SQL<unknown>; readonly name: string | SQL<unknown>; }\'.'
  ])
})
