import { defineConfig } from 'drizzle-kit'

// npm run data-access -- migrate create --config examples/jobs/drizzle.config.ts -m "what has changed" writes a new migration when the tables change.
export default defineConfig({
  dialect: 'postgresql',
  schema: './examples/jobs/schema.ts',
  out: './examples/jobs/migrations',
  casing: 'snake_case'
})
