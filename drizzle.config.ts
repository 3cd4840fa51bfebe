import { defineConfig } from 'drizzle-kit'

// npx drizzle-kit generate writes a new file into drizzle/ when the tables of the quickstart change.
export default defineConfig({
  dialect: 'postgresql',
  schema: './examples/quickstart/schema.ts',
  out: './drizzle',
  casing: 'snake_case'
})
