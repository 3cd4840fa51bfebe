import t from 'tap'
import { findLooksBehind } from './casts.js'
import { projectRoot } from './source-files.js'

t.test('nothing but src/pg looks behind the types of pg, and nothing but src/drizzle behind those of Drizzle', async (t) => {
  t.strictSame(findLooksBehind(projectRoot), [])
})

t.test('a look behind is found wherever it stands, and a step from one type of a library to another is none', async (t) => {
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
    'tsconfig.build.json': JSON.stringify({
      compilerOptions: { module: 'NodeNext', target: 'ES2023', strict: true, types: [], skipLibCheck: true }, include: ['src']
    }),
    'package.json': '{ "type": "module" }',
    node_modules: t.fixture('symlink', `${projectRoot}/node_modules`),
    src: { 'peeks.ts': peeks, pg: { 'own.ts': peeks }, drizzle: { 'own.ts': peeks } }
  })

  const found = findLooksBehind(root)
  const kinds = (path: string): string[] => found.filter((text) => text.startsWith(path)).map((text) => text.replace(/:\s.*/s, ''))
  t.strictSame(kinds('src/peeks.ts'), ['src/peeks.ts:4 looks behind the types of pg', 'src/peeks.ts:5 looks behind the types of drizzle'])
  t.strictSame(kinds('src/pg'), ['src/pg/own.ts:5 looks behind the types of drizzle'])
  t.strictSame(kinds('src/drizzle'), ['src/drizzle/own.ts:4 looks behind the types of pg'])
})
