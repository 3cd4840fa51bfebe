import { join } from 'node:path'
import ts from 'typescript'
import { exampleWith, readPage } from '../helpers/markdown.js'
import { shownFile } from './page-files.js'
import { projectRoot, readTree } from './source-files.js'

/** The names that the pages use without declaring them: a server, a request, tables, names of the application. */
const surroundings = `
import type { FastifyInstance, FastifyRequest } from 'fastify'
import dataAccess from 'fastify-data-access'
import type { NewUser } from './schema.js'

declare global {
  var server: FastifyInstance
  var request: FastifyRequest
  var dataAccess: typeof import('fastify-data-access').default
  var people: NewUser[]
  var paths: string[]
}
export { dataAccess }
`

const otherTables = `
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
export const hits = pgTable('hits', { path: text().primaryKey(), views: integer().notNull() })
export const tags = pgTable('tags', { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull().unique(), colour: text() })
`

const billingTables = `
import { integer, pgTable } from 'drizzle-orm/pg-core'
export const invoices = pgTable('invoices', { id: integer().primaryKey().generatedAlwaysAsIdentity(), userId: integer().notNull() })
`

/** All pages except docs/testing.md: test/package compiles and runs its code. */
const pages = ['README.md', 'site/home.md', 'skills/fastify-data-access/SKILL.md', ...readTree(projectRoot).map(({ path }) => path).filter((path) => /^docs\/(?!testing).*\.md$/.test(path))]

/** The TypeScript of all pages, by file name, without what they show of examples/, which is compiled there. */
export function exampleFiles (): Record<string, string> {
  return Object.fromEntries(pages.flatMap((path) => readPage(path).blocks
    .filter((block) => block.language === 'ts' && shownFile(block) === undefined)
    .map(({ heading, code }, index) => [exampleName(path, index), `// ${path}, ${heading}\nexport {}\n${code}`])))
}

/** The name of a file for the TypeScript of a page. */
function exampleName (page: string, index: number): string {
  return `${page.replace(/^docs\/|\.md$/g, '').replaceAll('/', '-')}-${index + 1}.ts`
}

/** The files that the examples need beside them. */
export function surroundingFiles (): Record<string, string> {
  return {
    'schema.ts': exampleWith('README.md', "export const users = pgTable('users'"),
    'user-repository.ts': exampleWith('docs/repository.md', 'export class UserRepository'),
    'members.ts': exampleWith('docs/audit.md', 'export const members'),
    'notes.ts': exampleWith('docs/tenants.md', 'export const notes'),
    'other-tables.ts': otherTables,
    'billing-schema.ts': billingTables,
    'surroundings.ts': surroundings,
    'shop.ts': exampleWith('docs/events.md', 'export const orders'),
    'boss.ts': exampleWith('docs/events.md', 'export async function bossOver'),
    'build-shop.ts': exampleWith('docs/events.md', 'export async function buildShop'),
    'receive.ts': exampleWith('docs/events.md', 'export async function receive')
  }
}

/** The options of a program that uses the package. */
export const exampleOptions: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  strict: true,
  skipLibCheck: true,
  types: ['node'],
  typeRoots: [join(projectRoot, 'node_modules', '@types')],
  paths: {
    'fastify-data-access': [join(projectRoot, 'plugins/index.ts')],
    'fastify-data-access/core': [join(projectRoot, 'src/index.ts')],
    'fastify-data-access/testing': [join(projectRoot, 'src/testing/index.ts')],
    'fastify-data-access/migrations': [join(projectRoot, 'src/migrations/index.ts')],
    'fastify-data-access/opentelemetry': [join(projectRoot, 'src/opentelemetry/index.ts')],
    'fastify-data-access/prometheus': [join(projectRoot, 'src/prometheus/index.ts')]
  }
}
