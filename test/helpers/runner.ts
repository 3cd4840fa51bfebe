import { drizzle } from 'drizzle-orm/node-postgres'
import { Client } from 'pg'
import type { PoolClient } from 'pg'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { SQL, SQLWrapper } from 'drizzle-orm'
import { SequentialExchange } from '../../src/connection/exchange/sequential-exchange.js'
import { toDatabaseError } from '../../src/errors/to-database-error.js'
import { silentLogger } from '../../src/runtime/logger.js'
import { Repositories } from '../../src/repository/repository-factory.js'
import type { RepositoryOf, RepositorySession, RepositorySource } from '../../src/repository/repository.js'
import type { RowSource, Statement, StatementResult } from '../../src/statement/statement.js'
import { createTestDatabase } from '../../src/testing/index.js'

/** A runner over one plain connection, so that tests of the repository need PostgreSQL and nothing else of the package. */
export class TestRunner implements RepositorySession {
  /** The statements that were run, in order. */
  readonly statements: Statement[] = []
  readonly client: Client
  transactions = 0
  readonly caller = { logger: silentLogger, label: 'test' }
  #last: Promise<unknown> = Promise.resolve()
  #depth = 0

  readonly #repositories: Repositories

  constructor (client: Client, repositories: Repositories) {
    this.client = client
    this.#repositories = repositories
  }

  repo<Source extends RepositorySource> (source: Source): RepositoryOf<Source> {
    return this.#repositories.create(this, source)
  }

  async run<Row> (statement: Statement): Promise<StatementResult<Row>> {
    this.statements.push(statement)
    const { context, nowait } = statement
    const exchange = new SequentialExchange(this.client, [], false)
    try {
      exchange.add(statement)
      await this.#inTurn(() => new Promise<void>((resolve, reject) => exchange.send((error) => error === undefined ? resolve() : reject(error))))
    } catch (error) {
      throw toDatabaseError(error, { context, nowait })
    }
    const [response] = exchange.responses
    if (response?.unreadable !== undefined) throw response.unreadable
    return response as unknown as StatementResult<Row>
  }

  /** All rows at once, handed out in batches. */
  stream<Row> (statement: Statement, batchSize: number): RowSource<Row> {
    let rows: Promise<Row[]> | undefined
    return {
      fetch: async () => (await (rows ??= this.run<Row>(statement).then((answer) => answer.rows))).splice(0, batchSize),
      close: async () => { rows = Promise.resolve([]) }
    }
  }

  async execute<Result> (statement: SQLWrapper): Promise<Result> {
    const { sql, params } = new PgDialect().sqlToQuery(statement.getSQL() as SQL)
    return await this.client.query(sql, params) as Result
  }

  async transaction<Result> (fn: (runner: RepositorySession) => Promise<Result>): Promise<Result> {
    const [begin, commit, rollback] = this.#depth === 0
      ? ['begin', 'commit', 'rollback']
      : [
      `savepoint s${this.#depth}`,
      `release s${this.#depth}`,
      `rollback to s${this.#depth}`
        ]
    this.transactions++
    this.#depth++
    try {
      await this.#inTurn(() => this.client.query(begin))
      const result = await fn(this)
      await this.#inTurn(() => this.client.query(commit))
      return result
    } catch (error) {
      await this.#inTurn(() => this.client.query(rollback))
      throw error
    } finally {
      this.#depth--
    }
  }

  /** Sends one after the other, as a session does. */
  #inTurn<Result> (send: () => Promise<Result>): Promise<Result> {
    const sent = this.#last.then(send)
    this.#last = sent.catch(() => {})
    return sent
  }
}

interface Test {
  teardown (fn: () => Promise<void>): unknown
}

/** The result of {@link openRepositories}. */
export interface Opened {
  readonly runner: TestRunner
  readonly repositories: Repositories
  readonly connectionString: string
  /** Drizzle itself on the same connection, for comparison. */
  readonly drizzle: ReturnType<typeof drizzle<Record<string, never>, PoolClient>>
  repo<Source extends RepositorySource> (source: Source): RepositoryOf<Source>
}

/** Repositories over a new database in which `sql` has run. */
export async function openRepositories (t: Test, sql: string, { casing }: { casing?: 'snake_case' } = {}): Promise<Opened> {
  const { connectionString } = await createTestDatabase(t, { sql })
  const client = new Client({ connectionString })
  await client.connect()
  t.teardown(() => client.end())
  const repositories = new Repositories({ casing, defaultLimit: 100, maxLimit: 1000 })
  const runner = new TestRunner(client, repositories)
  return {
    runner,
    repositories,
    connectionString,
    drizzle: drizzle({ client: client as unknown as PoolClient, ...casing !== undefined && { casing } }),
    repo: (source) => repositories.create(runner, source)
  }
}
