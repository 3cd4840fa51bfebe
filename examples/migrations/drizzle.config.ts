import { defineConfig } from 'drizzle-kit'

// npm run data-access -- migrate create --config examples/migrations/drizzle.config.ts -m "what has changed in schema.ts"
export default defineConfig({
  dialect: 'postgresql',
  schema: './examples/migrations/schema.ts',
  out: './examples/migrations/drizzle',
  casing: 'snake_case'
})
