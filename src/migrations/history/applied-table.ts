import { escapeIdentifier } from 'pg'
import type { Client } from 'pg'
import type { Migration } from '../folder/migration-files.js'

/** A migration that the database has, as its table records it. */
export interface AppliedRow {
  /** The ids of the rows that record it: usually one. Two concurrent runs of drizzle-orm's migrator may have recorded a file twice. */
  readonly ids: readonly string[]
  readonly hash: string
  readonly when: number
  readonly appliedAt: Date | undefined
}

/** The table in which drizzle-orm's migrator, drizzle-kit and this package record the applied migrations. */
export class AppliedTable {
  readonly #client: Client
  readonly #schema: string
  readonly #name: string

  /** @param table `schema.table`, or a table in the schema `drizzle` */
  constructor (client: Client, table?: string) {
    const { schema, name } = partsOf(table)
    this.#client = client
    this.#schema = escapeIdentifier(schema)
    this.#name = escapeIdentifier(name)
  }

  /** Creates the table as drizzle-orm's migrator does. An existing table needs no permission to create one. */
  async create (): Promise<void> {
    const { rows: [found] } = await this.#client.query('select to_regnamespace($1) is not null as schema, to_regclass($2) is not null as table', [this.#schema, this.#fullName])
    if (!found.schema) await this.#client.query(`create schema if not exists ${this.#schema}`)
    if (!found.table) await this.#client.query(`create table if not exists ${this.#fullName} (id serial primary key, hash text not null, created_at bigint)`)
  }

  /** Returns the migrations in the order in which they were applied; none if there is no table yet. */
  async read (): Promise<AppliedRow[]> {
    const { rows: [found] } = await this.#client.query('select to_regclass($1) is not null as exists', [this.#fullName])
    if (!found.exists) return []
    // Later versions of drizzle-orm add applied_at. Through jsonb the column may be missing.
    const { rows } = await this.#client.query<{ id: string, hash: string, created_at: string, applied_at: string | null }>(
      `select id::text, hash, created_at, to_jsonb(m) ->> 'applied_at' as applied_at from ${this.#fullName} m order by m.id`
    )
    return rows.map((row) => ({
      ids: [row.id],
      hash: row.hash,
      when: Number(row.created_at),
      appliedAt: row.applied_at === null ? undefined : new Date(row.applied_at)
    }))
  }

  async insert ({ hash, when }: Migration): Promise<void> {
    await this.#client.query(`insert into ${this.#fullName} (hash, created_at) values ($1, $2)`, [hash, when])
  }

  async remove (ids: readonly string[]): Promise<void> {
    await this.#client.query(`delete from ${this.#fullName} where id::text = any($1)`, [ids])
  }

  get #fullName (): string {
    return `${this.#schema}.${this.#name}`
  }
}

/** The schema and the name in `schema.table`. */
export function partsOf (table = '__drizzle_migrations'): { schema: string, name: string } {
  const dot = table.indexOf('.')
  return { schema: dot < 0 ? 'drizzle' : table.slice(0, dot), name: table.slice(dot + 1) }
}
