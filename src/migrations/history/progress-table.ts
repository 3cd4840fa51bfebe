import { createHash } from 'node:crypto'
import { escapeIdentifier } from 'pg'
import type { Client } from 'pg'
import { partsOf } from './applied-table.js'
import type { MigrationStep } from './step.js'

/** How far a file has come that runs outside of a transaction. */
export interface Progress {
  readonly tag: string
  readonly direction: 'up' | 'down'
  /** How many of its statements have taken effect. */
  readonly done: number
  /** Whether the one behind them was begun, and nobody knows what became of it. */
  readonly started: boolean
  /** Of the statements that are done. */
  readonly hash: string
}

/**
 * A table beside drizzle-kit's, in which a file that runs outside of a transaction notes its way, so that a runner that comes after one that was
 * killed goes on where that stopped. It is made by such a file, and gone when that is done.
 */
export class ProgressTable {
  readonly #client: Client
  readonly #name: string

  constructor (client: Client, table?: string) {
    const { schema, name } = partsOf(table)
    this.#client = client
    // PostgreSQL would cut a longer name, in the end to that of the table beside it.
    this.#name = `${escapeIdentifier(schema)}.${escapeIdentifier(`${name.slice(0, 40)}_progress`)}`
  }

  /** Undefined where nothing stands half-way. */
  async read (): Promise<Progress | undefined> {
    const { rows: [found] } = await this.#client.query('select to_regclass($1) is not null as exists', [this.#name])
    if (!found.exists) return undefined
    const { rows: [row] } = await this.#client.query<Progress>(`select tag, direction, done, started, hash from ${this.#name}`)
    return row
  }

  /** How far a runner before has come with a file; from now on its way is noted. */
  async open ({ direction, migration, text }: MigrationStep): Promise<Progress> {
    const before = await this.read()
    if (before !== undefined) return before
    const progress: Progress = { tag: migration.tag, direction, done: 0, started: false, hash: hashOf(text.statements, 0) }
    await this.#client.query('begin')
    await this.#client.query(`create table ${this.#name} (tag text not null, direction text not null, done int not null, started boolean not null, hash text not null)`)
    await this.#client.query(`insert into ${this.#name} values ($1, $2, $3, $4, $5)`, Object.values(progress))
    await this.#client.query('commit')
    return progress
  }

  /** The statement behind those that are done is about to be sent. */
  async begin (): Promise<void> {
    await this.#client.query(`update ${this.#name} set started = true`)
  }

  /** So many statements have taken effect. */
  async done (statements: readonly string[], done: number): Promise<void> {
    await this.#client.query(`update ${this.#name} set done = $1, started = false, hash = $2`, [done, hashOf(statements, done)])
  }

  /** PostgreSQL has refused the statement that was begun: it is known that it has not taken effect. */
  async notStarted (): Promise<void> {
    await this.#client.query('rollback')
    await this.#client.query(`update ${this.#name} set started = false`)
  }

  /** Leaves no table behind where nothing was done. */
  async dropIfUnused (): Promise<void> {
    const progress = await this.read()
    if (progress?.done === 0) await this.drop()
  }

  async drop (): Promise<void> {
    await this.#client.query(`drop table ${this.#name}`)
  }
}

/** Tells whether the statements that are done are still what they were; the others may be corrected. */
export function hashOf (statements: readonly string[], done: number): string {
  return createHash('sha256').update(statements.slice(0, done).join(';')).digest('hex')
}
