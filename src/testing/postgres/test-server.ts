import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { extendConnection, parseConnectionString, withDatabase } from '../../settings/url/connection-string.js'
import { holdProcess } from '../../pg/client.js'
import { DatabaseClient } from '../../pg/database-client.js'
import { handled, ignore } from '../../runtime/promises.js'
import type { Client } from 'pg'

/** How often a database is checked for connections before DROP ends them, and the milliseconds between two checks. */
const dropChecks = 25
const dropCheckMillis = 20

/** Runs a statement on the server. */
export type Query = <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>

/**
 * A PostgreSQL on which tests create databases, over one connection that lasts as long as the process.
 *
 * The name of the connection identifies its process. A new process drops the databases of processes that have no such connection.
 */
export class TestServer {
  readonly connectionString: string
  readonly #keepsSpares: boolean
  /** Identifies this process in the names of its databases. */
  readonly #owner = randomBytes(6).toString('hex')
  #client: Client | undefined
  #last: Promise<unknown> = Promise.resolve()
  #databases = 0
  #strategy = ''

  /** `keepsSpares` creates one clone ahead, for any process that needs the next one. Only for a server that ends with the run. */
  constructor (connectionString: string, { keepsSpares = false }: { readonly keepsSpares?: boolean } = {}) {
    this.connectionString = connectionString
    this.#keepsSpares = keepsSpares
  }

  /** Creates a database with a new name, and resolves with the name. */
  async clone (template: string): Promise<string> {
    const name = this.#newName('test')
    await this.exclusively(async (query) => {
      const isTaken = this.#keepsSpares && await takeSpare(query, template, name)
      if (!isTaken) await this.#create(query, template, name)
    })
    if (this.#keepsSpares) handled(this.exclusively((query) => this.#makeSpare(query, template)))
    return name
  }

  /** Returns the URL of a database of the server. */
  urlOf (database: string): string {
    return withDatabase(this.connectionString, database)
  }

  /** Runs statements of one caller at a time. */
  exclusively<Result> (fn: (query: Query) => Promise<Result>): Promise<Result> {
    const result = this.#last.then(() => this.#use(fn))
    this.#last = result.catch(ignore)
    return result
  }

  /**
   * Drops a database. Waits a moment for connections that are closing, because `pool.end()` does not wait for them. Then ends
   * the connections that are left.
   */
  async drop (database: string): Promise<void> {
    await this.exclusively(async (query) => {
      const isInUse = async (): Promise<boolean> => (await query('select from pg_stat_activity where datname = $1', [database])).length > 0
      for (let check = 0; check < dropChecks && await isInUse(); check++) await delay(dropCheckMillis)
      await query(`drop database if exists ${database} with (force)`)
    })
  }

  /** Closes the connection. The next call opens another one. Until then, databases that are left look like those of a killed process. */
  async close (): Promise<void> {
    const client = this.#client
    if (client === undefined) return
    holdProcess(client, true)
    await client.end()
  }

  #newName (kind: string): string {
    return `${kind}_${this.#owner}_${++this.#databases}`
  }

  async #create (query: Query, template: string, name: string): Promise<void> {
    await query(`create database ${name} template ${template}${this.#strategy}`)
  }

  async #makeSpare (query: Query, template: string): Promise<void> {
    const spares = await sparesOf(query, template)
    if (spares.length === 0) await this.#create(query, template, this.#newName(`${template}_spare`))
  }

  async #use<Result> (fn: (query: Query) => Promise<Result>): Promise<Result> {
    const client = this.#client ?? await this.#connect()
    holdProcess(client, true)
    try {
      return await fn(async (text, values = []) => (await client.query(text, [...values])).rows)
    } finally {
      holdProcess(client, false)
    }
  }

  async #connect (): Promise<Client> {
    const client = new DatabaseClient(extendConnection(parseConnectionString(this.connectionString), { application_name: nameOf(this.#owner) }))
    // After a lost connection, the next call connects again.
    const forget = (): void => { if (this.#client === client) this.#client = undefined }
    client.on('error', forget).on('end', forget)
    await client.connect()
    await client.query('set statement_timeout = 0')
    const { rows: [row] } = await client.query(`select ${copiesFiles} as copies`)
    if (row.copies) this.#strategy = ' strategy file_copy'
    await dropOrphans(client)
    this.#client = client
    return client
  }
}

/**
 * Whether a clone should copy files. That takes half the processor time, but it begins and ends with a checkpoint, which is
 * cheap only without fsync.
 * https://www.postgresql.org/docs/current/sql-createdatabase.html
 */
const copiesFiles = "current_setting('fsync') = 'off' and current_setting('server_version_num')::int >= 150000"

/** Returns the unused clones of a template. */
async function sparesOf (query: Query, template: string): Promise<string[]> {
  const rows = await query<{ datname: string }>("select datname from pg_database where starts_with(datname, $1 || '_spare_')", [template])
  return rows.map(({ datname }) => datname)
}

/** Renames a spare clone, which is much faster than a new clone. Returns false when there is none. */
async function takeSpare (query: Query, template: string, name: string): Promise<boolean> {
  for (const spare of await sparesOf(query, template)) {
    // Another process may take it first.
    const isTaken = await query(`alter database ${spare} rename to ${name}`).then(() => true, () => false)
    if (isTaken) return true
  }
  return false
}

/** The name that shows in `pg_stat_activity` that a process is alive. Advisory locks would be visible in one database only. */
function nameOf (owner: string): string {
  return `data-access tests ${owner}`
}

/** Drops the databases of killed processes, which have no connection any more. */
async function dropOrphans (client: Client): Promise<void> {
  const { rows } = await client.query<{ datname: string }>(
    `select datname from (select datname, substring(datname from '^test_([0-9a-f]{12})_[0-9]+$') as owner from pg_database) as databases
     where owner is not null and not exists (select from pg_stat_activity where application_name = '${nameOf('')}' || owner)`
  )
  for (const { datname } of rows) {
    // Another process may drop it first, or this one may not be allowed to. The next process tries again.
    await client.query(`drop database if exists ${datname} with (force)`).catch(ignore)
  }
}
