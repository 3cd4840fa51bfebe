/**
 * The databases of a server. The one without a name is registered first; each further `register` adds one with a name.
 *
 * A database that is registered in a child scope is known in that scope, and in those below it, as all of Fastify's decorators are.
 */
import { relationalSchema } from '../src/drizzle/relations/relational-schema.js'
import { qualifiedName } from '../src/model/table.js'
import { tableOf } from '../src/repository/repository-class.js'
import { defaultName, environmentPrefix, SettingsError } from '../src/settings/settings.js'
import { contextFunction, databaseTransaction, settingsOf } from './request/transaction-plan.js'
import { resolveTransactionOptions } from '../src/settings/transaction-options.js'
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify'
import type { Pool } from 'pg'
import type { Database } from '../src/database/database.js'
import type { NamedDrizzles } from '../src/drizzle/types/registered-databases.js'
import type { Session } from '../src/session/session.js'
import type { DatabaseOptions, Environment, Settings } from '../src/settings/settings.js'
import type { TransactionSettings } from '../src/settings/transaction-options.js'
import type { RequestTransactionOptions, TransactionPlan } from './request/transaction-plan.js'

/** The databases of the scope, for the plugins. */
export const serverDatabases = Symbol('data-access.databases')

/** The databases of a server: `default`, and those with a name, by {@link Register}. */
export type Databases = { readonly default: Database } & { readonly [Name in keyof NamedDrizzles]: Database<NamedDrizzles[Name]> }

/** The sessions of a request, one for each database: `default` is `request.db`. */
export type RequestDatabases = { readonly default: Session } & { readonly [Name in keyof NamedDrizzles]: Session<NamedDrizzles[Name]> }

declare module 'fastify' {
  interface FastifyInstance {
    /** The databases of the server: `default`, and those that were registered with a `name`. */
    readonly databases: Databases
    readonly [serverDatabases]: ServerDatabases
  }
}

/** One database of a server. */
export class ServerDatabase {
  readonly name: string
  /** Its place in the order of registration. */
  readonly place: number
  readonly database: Database
  /** The lengths of its lists. */
  readonly limits: Settings['repository']
  readonly #transaction: RequestTransactionOptions
  readonly #settings = new WeakMap<TransactionPlan, TransactionSettings>()

  constructor (database: Database, { name, place, limits, transaction }: Pick<ServerDatabase, 'name' | 'place' | 'limits'> & { transaction: RequestTransactionOptions }) {
    this.name = name
    this.place = place
    this.database = database
    this.limits = limits
    this.#transaction = transaction
  }

  /** How its transaction begins and ends on a route: the options of the route go before its own. */
  settingsFor (request: FastifyRequest, plan: TransactionPlan): TransactionSettings {
    return settingsOf(request, this.#settingsOn(plan), contextFunction(plan.ofRoute.context ?? this.#transaction.context))
  }

  #settingsOn (plan: TransactionPlan): TransactionSettings {
    let settings = this.#settings.get(plan)
    if (settings === undefined) {
      settings = resolveTransactionOptions({ ...databaseTransaction(this.#transaction), ...databaseTransaction(plan.ofRoute) })
      this.#settings.set(plan, settings)
    }
    return settings
  }
}

/** The databases that a scope knows. */
export class ServerDatabases {
  /** `fastify.databases`: its prototype has those of the scope around. */
  readonly byName: Record<string, Database>
  /** The variables of each database that has a name. */
  readonly environments = new Map<string, Environment>()
  readonly #parent: ServerDatabases | undefined
  readonly #root: ServerDatabases
  readonly #members = new Map<string, ServerDatabase>()
  readonly #tables = new Map<unknown, string>()
  #count = 0

  constructor (parent?: ServerDatabases) {
    this.#parent = parent
    this.#root = parent === undefined ? this : parent.#root
    this.byName = Object.create(parent?.byName ?? null)
  }

  /** Whether there is more than one, in any scope. */
  get areSeveral (): boolean { return this.#root.#count > 1 }

  /** All databases, in the order of their scopes. */
  get all (): ServerDatabase[] { return [...this.#parent?.all ?? [], ...this.#members.values()] }

  find (name: string): ServerDatabase | undefined {
    return this.#members.get(name) ?? this.#parent?.find(name)
  }

  /** The name of the database whose schema has the table of a repository; the first one's for a table in no schema. */
  ownerOf (source: unknown): string {
    return this.#nameOfOwner(tableOf(source)) ?? defaultName
  }

  /** The database that {@link ownerOf} names. */
  owner (source: unknown): ServerDatabase {
    return this.find(this.ownerOf(source)) as ServerDatabase // the first database is there before any of its plugins
  }

  /**
   * Checks that a database can be added, before anything is opened.
   *
   * @throws {SettingsError} for a name that is taken, or that stands for the same variables, and for a table of another database
   */
  check (name: string, options: Pick<DatabaseOptions, 'schema' | 'relations' | 'casing'>): void {
    const others = this.all.map((member) => member.name)
    if (others.includes(name)) throw new SettingsError('name', `cannot be '${name}': a database of that name is registered already on this server`)
    const alike = others.find((other) => environmentPrefix(other) === environmentPrefix(name))
    if (alike !== undefined) throw new SettingsError('name', `cannot be '${name}' beside '${alike}': both would read ${environmentPrefix(name)}DATABASE_URL`)
    for (const table of tablesOf(options)) {
      const owner = this.#nameOfOwner(table)
      if (owner !== undefined) {
        throw new SettingsError('schema', `of '${name}' has the table "${qualifiedName(table)}", which the schema of '${owner}' has, too: request.repo() finds the database by its table. Give each schema only the tables of its own database`)
      }
    }
  }

  add (name: string, database: Database, options: Pick<DatabaseOptions, 'schema' | 'relations' | 'casing'> & Pick<ServerDatabase, 'limits'> & { transaction: RequestTransactionOptions }): void {
    const { limits, transaction } = options
    this.#members.set(name, new ServerDatabase(database, { name, place: this.#root.#count++, limits, transaction }))
    for (const table of tablesOf(options)) this.#tables.set(table, name)
    this.byName[name] = database
  }

  #nameOfOwner (table: unknown): string | undefined {
    return this.#tables.get(table) ?? (this.#parent === undefined ? undefined : this.#parent.#nameOfOwner(table))
  }
}

function tablesOf ({ schema, relations, casing }: Pick<DatabaseOptions, 'schema' | 'relations' | 'casing'>) {
  return relationalSchema({ schema, relations, casing }).tables
}

/**
 * The databases of a scope, for one with a name. A child scope gets a list of its own.
 *
 * @throws {SettingsError} if the database without a name is not registered yet
 */
export function databasesIn (fastify: FastifyInstance, name: string): ServerDatabases {
  if (!fastify.hasDecorator(serverDatabases)) {
    throw new SettingsError('name', `cannot be '${name}' yet: register the database of fastify.db first, without a name`)
  }
  if (!Object.hasOwn(fastify, serverDatabases)) decorate(fastify, new ServerDatabases(fastify[serverDatabases]))
  return fastify[serverDatabases]
}

/** Makes the databases known to a scope. */
export function decorate (fastify: FastifyInstance, databases: ServerDatabases): void {
  fastify.decorate<unknown>(serverDatabases, databases)
  fastify.decorate<unknown>('databases', databases.byName)
}

/** A database that is registered. */
export function databaseIn (fastify: FastifyInstance, name: string | undefined): Database {
  return name === undefined ? fastify.db : fastify[serverDatabases].byName[name] as Database
}

/** The pool that `@fastify/postgres` has under the name of a database, if it was registered before. */
export function registeredPool (fastify: FastifyInstance, name: string | undefined): Pool | undefined {
  if (!fastify.hasDecorator('pg')) return undefined
  return name === undefined ? fastify.pg.pool : fastify.pg[name]?.pool
}

/** The log of a database: with its name, if it has one. */
export function loggerFor (fastify: FastifyInstance, name: string | undefined): FastifyBaseLogger {
  return name === undefined ? fastify.log : fastify.log.child({ database: name })
}
