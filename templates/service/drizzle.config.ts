import { existsSync } from 'node:fs'
import type { Config } from 'drizzle-kit'

// The commands take the database from DATABASE_URL, which may be in .env.
if (existsSync('.env')) process.loadEnvFile()

export default {
  dialect: 'postgresql',
  schema: './schema.ts',
  out: './drizzle',
  casing: 'snake_case'
} satisfies Config
