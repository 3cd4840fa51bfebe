/**
 * The tests that run in one process each, by their paths: a process of its own would cost each file more than its tests do.
 * Tests that end their process, or that fill it with work of their own, are in no group.
 */
export const groups = {
  connection: /^test\/src\/connection\//,
  foundations: /^test\/src\/(audit|database|drizzle|errors|model|pg|runtime|settings|statement|values)\//,
  plugins: /^test\/plugins\/[^/]+$/,
  pool: /^test\/(helpers|src\/(listen|pool|pooler|replicas))\//,
  requests: /^test\/plugins\/request\//,
  rows: /^test\/src\/repository\/(?!write|upsert)/,
  session: /^test\/src\/session\//,
  writes: /^test\/src\/repository\/(write|upsert)\//
}
