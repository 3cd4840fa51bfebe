import type { Database } from '../../database/database.js'
import { openDatabase } from '../../database/open-database.js'
import type { OpenOptions } from '../../database/open-database.js'
import { readMigrations } from '../../migrations/folder/migration-files.js'
import { runMigrations } from '../../migrations/run-migrations.js'
import { shortHash } from '../postgres/data-folder.js'
import type { Query, TestServer } from './test-server.js'

/** What a template holds. */
export interface TemplateOptions {
  /**
   * drizzle-kit's migrations, applied once: their folder, or folder and table as {@link runMigrations} takes them. When a
   * file changes, there is another template.
   */
  readonly migrations?: string | { readonly folder?: string | undefined, readonly table?: string | undefined } | undefined
  /** Makes the tables in another way, or in addition. Called once for all processes of a run. */
  readonly migrate?: ((database: Database) => unknown) | undefined
  /** Writes the rows that every test starts with. Called once for all processes of a run. */
  readonly seed?: ((database: Database) => unknown) | undefined
  /**
   * A text that changes when something changes that `migrate` and `seed` read, where their template outlives the run: with
   * `DATABASE_URL` and a runner that keeps watching.
   */
  readonly templateKey?: string | undefined
}

/** How long a template is kept that nobody uses, in hours. */
const keptHours = 24

const ready = new WeakMap<TestServer, Map<string, Promise<void>>>()

/** The name of a database to clone, made where it is not there yet; `template0` where nothing is asked for. */
export async function templateOn (server: TestServer, options: TemplateOptions, openOptions: OpenOptions): Promise<string> {
  const { migrations, migrate, seed } = options
  if (migrations === undefined && migrate === undefined && seed === undefined) return 'template0'
  const name = `data_access_template_${await keyOf(options)}`
  const templates = ready.get(server) ?? new Map<string, Promise<void>>()
  ready.set(server, templates)
  if (!templates.has(name)) templates.set(name, provide(server, name, () => fill(server.urlOf(`${name}_new`), options, openOptions)))
  try {
    await templates.get(name)
  } catch (error) {
    templates.delete(name)
    throw error
  }
  return name
}

async function keyOf ({ migrations, migrate, seed, templateKey }: TemplateOptions): Promise<string> {
  const { folder, table } = migrationsOf(migrations)
  const files = migrations === undefined ? [] : await readMigrations(folder)
  const functions = [migrate, seed].map(String)
  // What a function imports may change with the next run, which has another parent.
  const run = migrate === undefined && seed === undefined ? undefined : process.ppid
  const parts = [files.map(({ tag, hash }) => [tag, hash]), table, functions, templateKey, run]
  return shortHash(JSON.stringify(parts))
}

function migrationsOf (given: TemplateOptions['migrations'] = {}): { folder: string, table: string | undefined } {
  const { folder = './drizzle', table } = typeof given === 'string' ? { folder: given } as { folder?: string, table?: string } : given
  return { folder, table }
}

async function fill (connectionString: string, { migrations, migrate, seed }: TemplateOptions, openOptions: OpenOptions): Promise<void> {
  if (migrations !== undefined) await runMigrations({ connectionString, ...migrationsOf(migrations) })
  if (migrate === undefined && seed === undefined) return
  const database = await openDatabase({ ...openOptions, connectionString })
  try {
    await migrate?.(database)
    await seed?.(database)
  } finally {
    await database.close()
  }
}

/** Makes a template unless it is there: one process does, and the others wait for it. */
function provide (server: TestServer, name: string, fill: () => Promise<void>): Promise<void> {
  return server.exclusively(async (query) => {
    const isThere = async (): Promise<boolean> => (await query('select from pg_database where datname = $1', [name])).length > 0
    if (!await isThere()) {
      await query('select pg_advisory_lock(hashtextextended($1, 0))', [name])
      try {
        if (!await isThere()) await make(name, query, fill)
      } finally {
        await query('select pg_advisory_unlock(hashtextextended($1, 0))', [name])
      }
    }
    await touch(name, query)
  })
}

/** It gets its name last: what a killed process left half done is never taken for whole. */
async function make (name: string, query: Query, fill: () => Promise<void>): Promise<void> {
  await dropUnused(query)
  await query(`drop database if exists ${name}_new with (force)`)
  await query(`create database ${name}_new template template0`)
  await query(`comment on database ${name}_new is '${new Date().toISOString()}'`)
  await fill()
  // Whoever is connected to a template keeps others from cloning it.
  await query(`alter database ${name}_new allow_connections false`)
  await query(`alter database ${name}_new rename to ${name}`)
}

/** Notes that a template is used, once an hour: the note waits for those who clone it. */
async function touch (name: string, query: Query): Promise<void> {
  const old = await query("select from pg_database where datname = $1 and shobj_description(oid, 'pg_database') < $2", [name, hoursAgo(1)])
  if (old.length > 0) await query(`comment on database ${name} is '${new Date().toISOString()}'`)
}

async function dropUnused (query: Query): Promise<void> {
  const unused = await query<{ datname: string }>(
    "select datname from pg_database where datname like 'data\\_access\\_template\\_%' and shobj_description(oid, 'pg_database') < $1", [hoursAgo(keptHours)]
  )
  for (const { datname } of unused) await query(`drop database if exists ${datname} with (force)`)
}

function hoursAgo (hours: number): string {
  return new Date(Date.now() - hours * 3_600_000).toISOString()
}
