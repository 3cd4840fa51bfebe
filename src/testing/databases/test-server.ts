import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { extendConnection, parseConnectionString } from '../../settings/url/connection-string.js'
import { holdProcess } from '../../pg/client.js'
import { handled, ignore } from '../../runtime/promises.js'

/** How often, and how many milliseconds apart, a database that is to be dropped is looked at before its connections are ended. */
const farewellLooks = 25
const farewellMillis = 20

/** Runs a statement on the server. */
export type Query = <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>

/**
 * A PostgreSQL on which tests make databases, over one connection that lasts as long as the process.
 *
 * The connection has its owner's name, so that others see who is alive: the databases of one who is not are dropped by the next
 * who comes.
 */
export class TestServer {
  readonly connectionString: string
  readonly #keepsSpares: boolean
  /** In the names of this process's databases. */
  readonly #owner = randomBytes(6).toString('hex')
  #client: Client | undefined
  #last: Promise<unknown> = Promise.resolve()
  #databases = 0
  #strategy = ''

  /** With `keepsSpares` a clone more than was asked for is made beforehand, for whichever process is next: on a server that ends with the run. */
  constructor (connectionString: string, { keepsSpares = false }: { readonly keepsSpares?: boolean } = {}) {
    this.connectionString = connectionString
    this.#keepsSpares = keepsSpares
  }

  /** Makes a database with a name that no other has, and resolves with that. */
  async clone (template: string): Promise<string> {
    const name = this.#newName('test')
    await this.exclusively(async (query) => {
      const isTaken = this.#keepsSpares && await takeSpare(query, template, name)
      if (!isTaken) await this.#create(query, template, name)
    })
    if (this.#keepsSpares) handled(this.exclusively((query) => this.#makeSpare(query, template)))
    return name
  }

  /** The URL of one of the server's databases. */
  urlOf (database: string): string {
    const url = new URL(this.connectionString)
    url.pathname = `/${database}`
    url.searchParams.delete('dbname')
    return url.href
  }

  /** Runs statements with nobody else's between them. */
  exclusively<Result> (fn: (query: Query) => Promise<Result>): Promise<Result> {
    const result = this.#last.then(() => this.#use(fn))
    this.#last = result.catch(ignore)
    return result
  }

  /**
   * Drops a database. Connections that are being closed are waited for, since a pool that has ended does not do so; those that stay
   * are ended.
   */
  async drop (database: string): Promise<void> {
    await this.exclusively(async (query) => {
      const isInUse = async (): Promise<boolean> => (await query('select from pg_stat_activity where datname = $1', [database])).length > 0
      for (let look = 0; look < farewellLooks && await isInUse(); look++) await delay(farewellMillis)
      await query(`drop database if exists ${database} with (force)`)
    })
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
    const client = new Client(extendConnection(parseConnectionString(this.connectionString), { application_name: nameOf(this.#owner) }))
    // A server that went away is looked for again the next time.
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
 * Whether copying files is the faster way to clone: it takes half the processor time, but begins and ends with a checkpoint,
 * which is cheap only where nothing has to reach the disk.
 * https://www.postgresql.org/docs/current/sql-createdatabase.html
 */
const copiesFiles = "current_setting('fsync') = 'off' and current_setting('server_version_num')::int >= 150000"

/** The clones of a template that nobody uses yet. */
async function sparesOf (query: Query, template: string): Promise<string[]> {
  const rows = await query<{ datname: string }>("select datname from pg_database where starts_with(datname, $1 || '_spare_')", [template])
  return rows.map(({ datname }) => datname)
}

/** Gives a spare clone a name, which takes a moment where a new one takes many; false where there is none. */
async function takeSpare (query: Query, template: string, name: string): Promise<boolean> {
  for (const spare of await sparesOf(query, template)) {
    // Another one may be as quick.
    const isTaken = await query(`alter database ${spare} rename to ${name}`).then(() => true, () => false)
    if (isTaken) return true
  }
  return false
}

/** How others see in `pg_stat_activity` that an owner is alive: locks would show it in one database only. */
function nameOf (owner: string): string {
  return `data-access tests ${owner}`
}

/** Drops the databases of processes that were killed: their connections are gone. */
async function dropOrphans (client: Client): Promise<void> {
  const { rows } = await client.query<{ datname: string }>(
    `select datname from (select datname, substring(datname from '^test_([0-9a-f]{12})_[0-9]+$') as owner from pg_database) as databases
     where owner is not null and not exists (select from pg_stat_activity where application_name = '${nameOf('')}' || owner)`
  )
  for (const { datname } of rows) {
    // Another one may be as quick, or lack the right: what stays is dropped by the next.
    await client.query(`drop database if exists ${datname} with (force)`).catch(ignore)
  }
}
