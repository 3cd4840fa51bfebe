import { escapeIdentifier } from 'pg'
import type { Client } from 'pg'
import type { Migration } from '../folder/migration-files.js'

/** What the database knows of a migration that was applied to it. */
export interface AppliedRow {
  /** Of the rows that note it: as a rule one. Two runs of drizzle-orm's migrator at the same time may have noted one file twice. */
  readonly ids: readonly string[]
  readonly hash: string
  readonly when: number
  readonly appliedAt: Date | undefined
}

/** The table in which drizzle-orm's migrator, drizzle-kit and this package note what was applied. */
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

  /** As drizzle-orm's migrator makes it. Where it is there nothing is asked for: whoever may not create would be refused even what is there. */
  async create (): Promise<void> {
    const { rows: [found] } = await this.#client.query('select to_regnamespace($1) is not null as schema, to_regclass($2) is not null as table', [this.#schema, this.#fullName])
    if (!found.schema) await this.#client.query(`create schema if not exists ${this.#schema}`)
    if (!found.table) await this.#client.query(`create table if not exists ${this.#fullName} (id serial primary key, hash text not null, created_at bigint)`)
  }

  /** In the order in which they were applied; none where the table is not there yet. */
  async read (): Promise<AppliedRow[]> {
    const { rows: [found] } = await this.#client.query('select to_regclass($1) is not null as exists', [this.#fullName])
    if (!found.exists) return []
    // Later versions of drizzle-orm add applied_at: through jsonb it may be missing.
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

/** The schema and the name of a table that is given as `schema.table`. */
export function partsOf (table = '__drizzle_migrations'): { schema: string, name: string } {
  const dot = table.indexOf('.')
  return { schema: dot < 0 ? 'drizzle' : table.slice(0, dot), name: table.slice(dot + 1) }
}
