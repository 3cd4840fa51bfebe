export { createTestDatabase, type TestDatabase, type TestDatabaseOptions, type TestLike } from './test-database.js'
export { expectNoLeaks } from './leaks.js'
export { startPostgres, type PostgresOptions, type PostgresServer } from './postgres-server.js'
