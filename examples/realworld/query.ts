import { drizzle } from 'drizzle-orm/node-postgres'

/** Writes SELECTs that span tables. It has no connection: they run in the session of the repository that executes them. */
export const query = drizzle.mock({ casing: 'snake_case' })
