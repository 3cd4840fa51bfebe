import type { Database } from '../../database/database.js'
import { openDatabase } from '../../database/open-database.js'
import type { OpenOptions } from '../../database/open-database.js'
import { readMigrations } from '../../migrations/folder/migration-files.js'
import { runMigrations } from '../../migrations/run-migrations.js'
import { shortHash } from '../postgres/data-folder.js'
import type { Query, TestServer } from '../postgres/test-server.js'

/** The tables and rows of a template database. */
export interface TemplateOptions {
  /**
   * drizzle-kit's migrations, applied once: their folder, or folder and table as {@link runMigrations} takes them. A changed
   * file makes a new template.
   */
  readonly migrations?: string | { readonly folder?: string | undefined, readonly table?: string | undefined } | undefined
  /** Creates tables, instead of the migrations or after them. Called once for all processes of a run. */
  readonly migrate?: ((database: Database) => unknown) | undefined
  /** Writes the rows that every test starts with. Called once for all processes of a run. */
  readonly seed?: ((database: Database) => unknown) | undefined
  /**
   * Change this text when the files that `migrate` and `seed` read have changed. It is needed only if the template outlives
   * the run: with `DATABASE_URL` and a runner in watch mode.
   */
  readonly templateKey?: string | undefined
}

/** How long an unused template is kept, in hours. */
const keptHours = 24

const ready = new WeakMap<TestServer, Map<string, Promise<void>>>()

/** Returns the name of the database to clone, and creates it if it does not exist. Without options it is `template0`. */
export async function templateOn (server: TestServer, options: TemplateOptions, openOptions: OpenOptions): Promise<string> {
  const { migrations, migrate, seed } = options
  if (migrations === undefined && migrate === undefined && seed === undefined) return 'template0'
  const name = `data_access_template_${await keyOf(options)}`
  const templates = ready.get(server) ?? new Map<string, Promise<void>>()
  ready.set(server, templates)
  if (!templates.has(name)) templates.set(name, ensureTemplate(server, name, () => fill(server.urlOf(`${name}_new`), options, openOptions)))
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
  const files = migrations === undefined ? [] : (await readMigrations(folder)).files
  const functions = [migrate, seed].map(String)
  // The files that a function imports may change before the next run, which has another parent process.
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

/** Creates a template if it does not exist. One process creates it, and the others wait. */
function ensureTemplate (server: TestServer, name: string, fill: () => Promise<void>): Promise<void> {
  return server.exclusively(async (query) => {
    const exists = async (): Promise<boolean> => (await query('select from pg_database where datname = $1', [name])).length > 0
    if (!await exists()) {
      await query('select pg_advisory_lock(hashtextextended($1, 0))', [name])
      try {
        if (!await exists()) await createTemplate(name, query, fill)
      } finally {
        await query('select pg_advisory_unlock(hashtextextended($1, 0))', [name])
      }
    }
    await touch(name, query)
  })
}

/** Renames the template at the end, so that the unfinished template of a killed process is never used. */
async function createTemplate (name: string, query: Query, fill: () => Promise<void>): Promise<void> {
  await dropUnused(query)
  await query(`drop database if exists ${name}_new with (force)`)
  await query(`create database ${name}_new template template0`)
  await query(`comment on database ${name}_new is '${new Date().toISOString()}'`)
  await fill()
  // PostgreSQL does not clone a database that has connections.
  await query(`alter database ${name}_new allow_connections false`)
  await query(`alter database ${name}_new rename to ${name}`)
}

/** Records once an hour that a template is used. Not more often, because COMMENT waits for the clones under way. */
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
