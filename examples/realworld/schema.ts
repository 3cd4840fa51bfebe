// Every table of the application: for Drizzle's queries, and for drizzle-kit, which writes the migrations from it.
export * from './articles/table.js'
export * from './comments/table.js'
export * from './profiles/table.js'
export * from './tags/table.js'
export * from './users/table.js'
