import { escapeIdentifier } from 'pg'
import { MigrationError } from '../../errors/errors.js'
import type { Client } from 'pg'
import type { Layout } from '../folder/layout.js'
import type { MigrationFile } from '../folder/migration-files.js'

/** A migration that the database has, as its table records it. */
export interface AppliedRow {
  /** The ids of the rows that record it: usually one. Two concurrent runs of drizzle-orm's migrator may have recorded a file twice. */
  readonly ids: readonly string[]
  readonly hash: string
  readonly when: number
  /** The name by which drizzle-orm 1.0 identifies the migration. Rows of drizzle-orm 0.x have none. */
  readonly name: string | undefined
  readonly appliedAt: Date | undefined
}

/** A row, with its file if the folder has it. */
interface AppliedFile {
  readonly row: AppliedRow
  readonly file: Pick<MigrationFile, 'name' | 'when'> | undefined
}

/** The table in which drizzle-orm's migrator, drizzle-kit and this package record the applied migrations. */
export class AppliedTable {
  readonly #client: Client
  readonly #schema: string
  readonly #name: string

  constructor (client: Client, { schema, name }: TableName) {
    this.#client = client
    this.#schema = escapeIdentifier(schema)
    this.#name = escapeIdentifier(name)
  }

  /**
   * Creates the table as the migrator of the layout's drizzle-orm does. An existing table needs no permission to create one, and keeps its columns: the
   * migrator of 1.0 adds those that are missing.
   *
   * @param mayCreateSchema whether the schema is created, too
   * @throws {MigrationError} `DB_MIGRATION_FAILED` for a missing schema that may not be created
   */
  async create ({ isByName }: Layout, mayCreateSchema: boolean): Promise<void> {
    const { rows: [found] } = await this.#client.query('select to_regnamespace($1) is not null as schema, to_regclass($2) is not null as table', [this.#schema, this.#fullName])
    if (!found.schema && !mayCreateSchema) throw new MigrationError(`The schema ${this.#schema} was dropped after the run had begun`, 'DB_MIGRATION_FAILED')
    if (!found.schema) await this.#client.query(`create schema if not exists ${this.#schema}`)
    const more = isByName ? ', name text, applied_at timestamp with time zone default now()' : ''
    if (!found.table) await this.#client.query(`create table if not exists ${this.#fullName} (id serial primary key, hash text not null, created_at bigint${more})`)
  }

  /** Returns the migrations in the order in which they were applied; none if there is no table yet. */
  async read (): Promise<AppliedRow[]> {
    const { rows: [found] } = await this.#client.query('select to_regclass($1) is not null as exists', [this.#fullName])
    if (!found.exists) return []
    // drizzle-orm 1.0 adds name and applied_at. Through jsonb the columns may be missing.
    const { rows } = await this.#client.query<{ id: string, hash: string, created_at: string, name: string | null, applied_at: string | null }>(
      `select id::text, hash, created_at, to_jsonb(m) ->> 'name' as name, to_jsonb(m) ->> 'applied_at' as applied_at from ${this.#fullName} m order by m.id`
    )
    return rows.map((row) => ({
      ids: [row.id],
      hash: row.hash,
      when: Number(row.created_at),
      name: row.name ?? undefined,
      appliedAt: row.applied_at === null ? undefined : new Date(row.applied_at)
    }))
  }

  /** Records a migration, with its name if the table has names: drizzle-orm 1.0 would run a file again that is recorded without its name. */
  async insert ({ hash, when, name }: MigrationFile): Promise<void> {
    if (await this.#hasNames()) await this.#client.query(`insert into ${this.#fullName} (hash, created_at, name) values ($1, $2, $3)`, [hash, when, name])
    else await this.#client.query(`insert into ${this.#fullName} (hash, created_at) values ($1, $2)`, [hash, when])
  }

  /**
   * Completes the rows of applied migrations, so that no migrator of drizzle-orm runs their files again. In the layout of 1.0 the table gets its columns if
   * the role owns it, and every row its name. In that of 0.31 a row that 1.0 has recorded gets the exact time of the journal, and a name if there are names.
   */
  async complete (migrations: readonly AppliedFile[], { isByName }: Layout): Promise<void> {
    const { isOwned } = await this.#find()
    if (isByName && isOwned) return await this.upgrade(migrations)
    await this.#addNames(migrations)
    if (!isByName) await this.#setTimes(migrations.filter(({ row, file }) => row.name !== undefined && row.name === file?.name))
  }

  /** Gives the table the columns of drizzle-orm 1.0, and each row its name. Run it in a transaction. The time at which earlier rows were applied stays unknown. */
  async upgrade (migrations: readonly AppliedFile[]): Promise<void> {
    if (!await this.#hasNames()) {
      await this.#client.query(`alter table ${this.#fullName} add column if not exists name text, add column if not exists applied_at timestamp with time zone`)
      await this.#client.query(`alter table ${this.#fullName} alter column applied_at set default now()`)
    }
    await this.#addNames(migrations)
  }

  /** Makes the table that of drizzle-orm 0.x again. Run it in a transaction. A row that 1.0 has recorded gets the time of its file. */
  async downgrade (migrations: readonly AppliedFile[]): Promise<void> {
    await this.#setTimes(migrations)
    await this.#client.query(`alter table ${this.#fullName} drop column if exists name, drop column if exists applied_at`)
  }

  /** Whether the table has the columns of drizzle-orm 1.0; undefined if there is no table. */
  async isUpgraded (): Promise<boolean | undefined> {
    const { exists } = await this.#find()
    return exists ? await this.#hasNames() : undefined
  }

  async remove (ids: readonly string[]): Promise<void> {
    await this.#client.query(`delete from ${this.#fullName} where id::text = any($1)`, [ids])
  }

  async #addNames (migrations: readonly AppliedFile[]): Promise<void> {
    const unnamed = migrations.flatMap(({ row, file }) => file !== undefined && row.name === undefined ? row.ids.map((id) => [id, file.name]) : [])
    if (unnamed.length === 0 || !await this.#hasNames()) return
    await this.#client.query(
      `update ${this.#fullName} m set name = file.name from unnest($1::text[], $2::text[]) as file (id, name) where m.id::text = file.id and m.name is null`,
      [unnamed.map(([id]) => id), unnamed.map(([, name]) => name)]
    )
  }

  /** Migrations that drizzle-orm 1.0 has recorded have no milliseconds. The migrator of 0.x would take the newest of them for an older one, and run it again. */
  async #setTimes (migrations: readonly AppliedFile[]): Promise<void> {
    const changed = migrations.flatMap(({ row, file }) => file !== undefined && row.when !== file.when ? row.ids.map((id) => [id, file.when] as const) : [])
    if (changed.length === 0) return
    await this.#client.query(
      `update ${this.#fullName} m set created_at = file.time from unnest($1::text[], $2::bigint[]) as file (id, time) where m.id::text = file.id`,
      [changed.map(([id]) => id), changed.map(([, when]) => when)]
    )
  }

  async #find (): Promise<{ exists: boolean, isOwned: boolean }> {
    const { rows: [found] } = await this.#client.query<{ owned: boolean }>("select pg_has_role(relowner, 'USAGE') as owned from pg_class where oid = to_regclass($1)", [this.#fullName])
    return { exists: found !== undefined, isOwned: found?.owned === true }
  }

  async #hasNames (): Promise<boolean> {
    const { rowCount } = await this.#client.query("select from pg_attribute where attrelid = to_regclass($1) and attname = 'name' and not attisdropped", [this.#fullName])
    return rowCount === 1
  }

  get #fullName (): string {
    return `${this.#schema}.${this.#name}`
  }
}

/** The name of a table. */
export interface TableName {
  readonly schema: string
  readonly name: string
}

/** The schema and the name in `schema.table`; without a schema it is `drizzle`. */
export function partsOf (table = '__drizzle_migrations'): TableName {
  const dot = table.indexOf('.')
  return { schema: dot < 0 ? 'drizzle' : table.slice(0, dot), name: table.slice(dot + 1) }
}
