import { isDrizzle1, type snakeCase } from './drizzle.js'

interface Kit {
  generateDrizzleJson (exported: object, previousId?: string, schemas?: string[], casing?: string): object | Promise<object>
  generateMigration (previous: object, current: object): Promise<string[]>
}

/** The statements of drizzle-kit that create tables. */
export async function statementsFor (tables: object, { casing }: typeof snakeCase = {}): Promise<string[]> {
  const kit = await import(isDrizzle1 ? 'drizzle-kit/api-postgres' : 'drizzle-kit/api') as Kit
  return await kit.generateMigration(await kit.generateDrizzleJson({}), await kit.generateDrizzleJson(tables, undefined, undefined, casing))
}
