import { escapeIdentifier } from 'pg'
import type { Client } from 'pg'
import type { MigrationFile } from './files.js'

/** What the database knows of a migration that was applied to it. */
export interface AppliedRow {
  readonly hash: string
  readonly when: number
  readonly appliedAt: Date | undefined
}

/** The table in which drizzle-orm's migrator, drizzle-kit and this package note what was applied. */
export class AppliedTable {
  readonly #client: Client
  readonly #schema: string
  readonly #name: string

  /** @param name `schema.table`, or a table in the schema `drizzle` */
  constructor (client: Client, name = '__drizzle_migrations') {
    const dot = name.indexOf('.')
    this.#client = client
    this.#schema = escapeIdentifier(dot < 0 ? 'drizzle' : name.slice(0, dot))
    this.#name = escapeIdentifier(name.slice(dot + 1))
  }

  /** As drizzle-orm's migrator makes it. */
  async create (): Promise<void> {
    await this.#client.query(`create schema if not exists ${this.#schema}`)
    await this.#client.query(`create table if not exists ${this.#fullName} (id serial primary key, hash text not null, created_at bigint)`)
  }

  /** In the order in which they were applied; none where the table is not there yet. */
  async read (): Promise<AppliedRow[]> {
    const { rows: [found] } = await this.#client.query('select to_regclass($1) is not null as exists', [this.#fullName])
    if (!found.exists) return []
    // Later versions of drizzle-orm add applied_at: through jsonb it may be missing.
    const { rows } = await this.#client.query<{ hash: string, created_at: string, applied_at: string | null }>(
      `select hash, created_at, to_jsonb(m) ->> 'applied_at' as applied_at from ${this.#fullName} m order by id`
    )
    return rows.map((row) => ({
      hash: row.hash,
      when: Number(row.created_at),
      appliedAt: row.applied_at === null ? undefined : new Date(row.applied_at)
    }))
  }

  async note ({ hash, when }: MigrationFile): Promise<void> {
    await this.#client.query(`insert into ${this.#fullName} (hash, created_at) values ($1, $2)`, [hash, when])
  }

  get #fullName (): string {
    return `${this.#schema}.${this.#name}`
  }
}
