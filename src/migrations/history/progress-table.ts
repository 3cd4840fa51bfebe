import { createHash } from 'node:crypto'
import { escapeIdentifier } from 'pg'
import type { Client } from 'pg'
import { inTransaction } from './in-transaction.js'
import type { TableName } from './applied-table.js'
import type { MigrationStep } from './step.js'

/** The progress of a non-transactional file. */
export interface Progress {
  readonly tag: string
  readonly direction: 'up' | 'down'
  /** The number of statements that have taken effect. */
  readonly done: number
  /** Whether the next statement was begun, so that its outcome is unknown. */
  readonly started: boolean
  /** The hash of the statements that have taken effect. */
  readonly hash: string
}

/**
 * The table beside drizzle-kit's that records the progress of a non-transactional file, so that a runner continues where a killed one stopped. It exists
 * only while such a file is unfinished.
 */
export class ProgressTable {
  readonly #client: Client
  readonly #name: string

  constructor (client: Client, { schema, name }: TableName) {
    this.#client = client
    // PostgreSQL cuts longer names, possibly to the name of drizzle-kit's own table.
    this.#name = `${escapeIdentifier(schema)}.${escapeIdentifier(`${name.slice(0, 40)}_progress`)}`
  }

  /** The recorded progress; undefined if no file is unfinished. */
  async read (): Promise<Progress | undefined> {
    const { rows: [found] } = await this.#client.query('select to_regclass($1) is not null as exists', [this.#name])
    if (!found.exists) return undefined
    const { rows: [row] } = await this.#client.query<Progress>(`select tag, direction, done, started, hash from ${this.#name}`)
    return row
  }

  /** Returns the progress that an earlier runner recorded for a file, or starts a record. */
  async open ({ direction, migration, text }: MigrationStep): Promise<Progress> {
    const before = await this.read()
    if (before !== undefined) return before
    const progress: Progress = { tag: migration.tag, direction, done: 0, started: false, hash: hashOf(text.statements, 0) }
    await inTransaction(this.#client, async () => {
      await this.#client.query(`create table ${this.#name} (tag text not null, direction text not null, done int not null, started boolean not null, hash text not null)`)
      await this.#client.query(`insert into ${this.#name} values ($1, $2, $3, $4, $5)`, Object.values(progress))
    })
    return progress
  }

  /** Records the unfinished file under another tag. */
  async rename (tag: string): Promise<void> {
    await this.#client.query(`update ${this.#name} set tag = $1`, [tag])
  }

  /** Records that the next statement is about to be sent. */
  async begin (): Promise<void> {
    await this.#client.query(`update ${this.#name} set started = true`)
  }

  /** Records that this many statements have taken effect. */
  async done (statements: readonly string[], done: number): Promise<void> {
    await this.#client.query(`update ${this.#name} set done = $1, started = false, hash = $2`, [done, hashOf(statements, done)])
  }

  /** Records that the statement that was begun has not taken effect: PostgreSQL refused it. */
  async notStarted (): Promise<void> {
    await this.#client.query('rollback')
    await this.#client.query(`update ${this.#name} set started = false`)
  }

  /** Drops the table if no statement has taken effect. */
  async dropIfUnused (): Promise<void> {
    const progress = await this.read()
    if (progress?.done === 0) await this.drop()
  }

  async drop (): Promise<void> {
    await this.#client.query(`drop table ${this.#name}`)
  }
}

/** A hash of the first statements of a file. Those that have run may not be edited; the others may. */
export function hashOf (statements: readonly string[], done: number): string {
  return createHash('sha256').update(statements.slice(0, done).join(';')).digest('hex')
}
