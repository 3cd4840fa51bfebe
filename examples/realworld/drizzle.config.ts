import { defineConfig } from 'drizzle-kit'

// npm run data-access -- migrate create --config examples/realworld/drizzle.config.ts -m "what has changed" writes a new migration when the tables change.
export default defineConfig({
  dialect: 'postgresql',
  schema: './examples/realworld/schema.ts',
  out: './examples/realworld/migrations',
  casing: 'snake_case'
})
