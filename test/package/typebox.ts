/** The pairs of TypeBox and its provider for Fastify that fit the schemas which Drizzle makes of tables, as docs/server.md lists them. */
import { check, install, run, typeCheck, wanted, write } from './project.js'

const program = (schemas: string): string => `
import assert from 'node:assert/strict'
import { TypeBoxValidatorCompiler, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { createInsertSchema } from '${schemas}'
import fastify from 'fastify'

const users = pgTable('users', { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull(), age: integer() })
const server = fastify().withTypeProvider<TypeBoxTypeProvider>().setValidatorCompiler(TypeBoxValidatorCompiler)
server.post('/users', { schema: { body: createInsertSchema(users) } }, async (request) => {
  const name: string = request.body.name
  const age: number | null | undefined = request.body.age
  return { name, age }
})
const post = (payload: object) => server.inject({ method: 'POST', url: '/users', payload })
assert.deepEqual((await post({ name: 'Ada', age: 36 })).json(), { name: 'Ada', age: 36 })
assert.equal((await post({ age: 36 })).statusCode, 400)
assert.equal((await post({ name: 'Ada', age: '36' })).statusCode, 400)
`

const config = { compilerOptions: { module: 'nodenext', target: 'es2022', strict: true, types: ['node'], rootDir: '.', outDir: 'out', skipLibCheck: true }, include: ['*.ts'] }

/** Each pair: the folder, the packages of TypeBox, the package of Drizzle as package.json names it, and where the schemas come from. */
const pairs = [
  ['typebox-045', ['@fastify/type-provider-typebox@^5.2.0', '@sinclair/typebox@^0.34.8', 'drizzle-typebox@^0.3.3'], 'drizzle-orm', 'drizzle-typebox'],
  ['typebox-legacy', ['@fastify/type-provider-typebox@^5.2.0', '@sinclair/typebox@^0.34.8'], 'drizzle-orm-1', 'drizzle-orm/typebox-legacy'],
  ['typebox-1', ['@fastify/type-provider-typebox@^6.3.0', 'typebox@^1.2.0', 'ajv-formats@^3.0.1'], 'drizzle-orm-1', 'drizzle-orm/typebox']
] as const

/** Type-checks and runs a server with each pair. */
export async function checkTypebox (tarball: string): Promise<void> {
  for (const [name, packages, drizzle, schemas] of pairs) {
    await check(`schemas of ${schemas} type and validate requests with ${packages[0]}`, async () => {
      const folder = await install(name, tarball, [...wanted(drizzle, 'pg', 'fastify', '@types/node'), ...packages, 'typescript-6.0@npm:typescript@~6.0.0'])
      write(folder, { 'server.ts': program(schemas), 'tsconfig.json': JSON.stringify(config) })
      await typeCheck(folder, '6.0')
      await run(process.execPath, ['out/server.js'], { cwd: folder })
    })
  }
}
