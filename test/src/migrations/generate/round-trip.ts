import { join } from 'node:path'
import { Client } from 'pg'
import type { Test } from 'tap'
import { createMigration, rollbackMigrations, runMigrations, type CreateOptions } from '../../../../src/migrations/index.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { textsOf } from './generated-folder.js'
import { readCatalogue } from '../../../model-based/migrations/catalogue.js'

/** Two models, the rows of the first, and the statements that must work along the way. */
export interface RoundTrip {
  readonly from: Record<string, unknown>
  readonly to: Record<string, unknown>
  /** Statements that fill the tables. */
  readonly fill?: string
  /** Selects the rows that must be restored by the way back. */
  readonly kept?: string
  /** Statements that must work before, after the migration, and after the way back. */
  readonly writes?: string
  /** A statement that must work after the migration only. */
  readonly next?: string | undefined
  /** A statement that must work after the way back. */
  readonly former?: string | undefined
  readonly options?: Pick<CreateOptions, 'casing' | 'renames'>
}

/** The result of a round trip. */
export interface RoundTripResult {
  /** What the way back lists as irreversible. */
  readonly irreversible: readonly string[]
  /** The SQL of the migration, and of the way back. */
  readonly up: string
  readonly down: string
  /** The result of `kept` after the migration. */
  readonly there: unknown[]
  /** The result of `kept` after the way back. */
  readonly back: unknown[]
}

/**
 * Migrates up, down and up again with rows in the tables. Compares the catalogue with that of the second model in an empty database, and with the start.
 */
export async function roundTrip (t: Test, { from, to, fill, kept, writes, next, former, options = { renames: {} } }: RoundTrip): Promise<RoundTripResult> {
  const folder = t.testdir({ journey: {}, fresh: {} })
  const fresh = await open(t)
  await createMigration({ ...options, message: 'to', schema: to, folder: join(folder, 'fresh'), renames: undefined })
  await runMigrations({ connectionString: fresh.connectionString, folder: join(folder, 'fresh') })
  const made = await readCatalogue(fresh.client)

  const { client, connectionString } = await open(t)
  const way = { connectionString, folder: join(folder, 'journey') }
  await createMigration({ ...options, message: 'from', schema: from, folder: way.folder, renames: undefined })
  await runMigrations(way)
  const read = async () => kept === undefined ? [] : (await client.query(kept)).rows
  if (fill !== undefined) await client.query(fill)
  const [catalogue, rows] = [await readCatalogue(client), await read()]
  const { created } = await createMigration({ ...options, message: 'to', schema: to, folder: way.folder })
  t.ok(created, 'there is something to do')
  t.strictSame(await createMigration({ ...options, renames: {}, message: 'again', schema: to, folder: way.folder }), {}, 'and then nothing more')
  const works = async (statement = writes) => {
    if (statement !== undefined) await t.resolves(client.query(`begin; ${statement}; rollback`), 'writes go on')
  }

  await works()
  await runMigrations(way)
  t.strictSame(await readCatalogue(client), made, 'it is the second model')
  await works()
  if (next !== undefined) await works(next)
  const there = await read().catch(() => [])
  await rollbackMigrations({ ...way, confirmIrreversible: true })
  t.strictSame(await readCatalogue(client), catalogue, 'it is the first model again')
  const back = await read()
  if (created!.irreversible.length === 0) t.strictSame(back, rows, 'with its rows')
  await works()
  if (former !== undefined) await works(former)
  await runMigrations(way)
  t.strictSame(await readCatalogue(client), made, 'and the second again')
  const { up, down } = textsOf(way.folder, created!.tag)
  return { irreversible: created!.irreversible, up, down, there, back }
}

/** A database, and a connection to it. */
export interface Open {
  readonly connectionString: string
  readonly client: Client
}

/** An empty database. */
export async function open (t: Test): Promise<Open> {
  const { connectionString } = await createTestDatabase(t)
  const client = new Client({ connectionString })
  await client.connect()
  t.after(() => client.end())
  return { connectionString, client }
}
