import { join } from 'node:path'
import t from 'tap'
import { readSchema } from '../../../../src/migrations/cli/drizzle-config.js'

t.test('files of a schema know each other, whatever they import and which of them is named first', async (t) => {
  const pg = "import { pgTable, pgEnum, integer, text, index } from 'drizzle-orm/pg-core'\n"
  const barrel = {
    'boat.ts': `${pg}import { crew } from './crew'\nexport const boat = pgTable('boat', { id: integer(), captain: integer().references(() => crew.id) })`,
    'crew.ts': `${pg}export const crew = pgTable('crew', { id: integer(), name: text() }, (t) => [index('crew_name').on(t.name)])`,
    'index.ts': "export * from './boat'\nexport * from './crew'"
  }
  const circle = (first: string, second: string) => ({
    [`${first}.ts`]: `${pg}import { boat } from './${second}'\nexport const rank = pgEnum('rank', ['a'])\nexport const crew = pgTable('crew', { id: integer().references(() => boat.id) })`,
    [`${second}.ts`]: `${pg}import { crew, rank } from './${first}'\nexport const boat = pgTable('boat', { id: integer(), rank: rank(), crew: integer().references(() => crew.id) })`
  })
  const cases = { barrel, ab: circle('a', 'b'), ba: circle('b', 'a') }
  const root = t.testdir({
    ...Object.fromEntries(['commonjs', 'module'].map((type) => [type, { 'package.json': JSON.stringify({ type }), ...structuredClone(cases) }])),
    waits: {
      'package.json': '{"type":"module"}',
      'a.ts': "import { two } from './b'\nexport const one = await Promise.resolve(two)",
      'b.ts': 'export const two = Symbol.for("two")'
    },
    hopeless: { 'a.ts': "import { b } from './b'\nexport const a = b", 'b.ts': "import { a } from './a'\nexport const b = a" },
    broken: { 'c.ts': 'throw new Error("mine")' }
  })
  for (const type of ['commonjs', 'module']) {
    for (const [name, count] of [['barrel', 2], ['ab', 3], ['ba', 3]] as const) {
      const schema = await readSchema({ schema: `./${name}/*.ts` }, join(root, type))
      t.equal(new Set(Object.values(schema ?? {})).size, count, `${type}: ${name}`)
    }
  }
  t.strictSame(Object.values(await readSchema({ schema: './*.ts' }, join(root, 'waits')) ?? {}), [Symbol.for('two'), Symbol.for('two')])
  await t.rejects(readSchema({ schema: './*.ts' }, join(root, 'hopeless')), { name: 'ReferenceError', message: /before initialization/ })
  await t.rejects(readSchema({ schema: './*.ts' }, join(root, 'broken')), { message: 'mine' })
})
