import { resolve } from 'node:path'
import { statementChannel } from '../channels/channels.js'
import { checkCall } from '../errors/check-call.js'
import { readLayout } from '../migrations/folder/layout.js'
import { canonicalStatements } from '../migrations/prove/lock/canonical.js'
import { text } from '../runtime/option-checks.js'
import { addToLock, readLock } from './statements-file.js'
import type { StatementMessage } from '../channels/messages.js'
import type { StatementLock } from '../migrations/prove/lock/statement-lock.js'
import type { OptionChecks } from '../runtime/option-checks.js'

/** A statement that may be recorded. */
export type RecordableStatement = Pick<StatementMessage, 'text' | 'table' | 'operation' | 'route'>

/** What {@link recordStatements} records, and where. */
export interface RecordOptions {
  /**
   * The file of the statements.
   * @defaultValue `'statements.lock'`
   */
  readonly file?: string | undefined
  /**
   * Statements to leave out: those whose text matches, or for which the function returns true. A request has its route, `GET /users/:id`; a test that writes
   * rows itself has the route `database`.
   * @defaultValue none
   */
  readonly ignore?: RegExp | ((statement: RecordableStatement) => boolean) | undefined
  /**
   * The name of the database whose statements are recorded. Each has a file of its own.
   * @defaultValue `'default'`
   */
  readonly database?: string | undefined
  /**
   * The folder of the migrations. The file names the newest one, so that `migrate prove` knows the schema that the program was written for.
   * @defaultValue `'./drizzle'`, if there is one
   */
  readonly migrations?: string | undefined
}

/** A recording under way. */
export interface StatementRecording {
  /** Writes what is left, and records no more. */
  stop (): Promise<void>
}

const checks: OptionChecks<RecordOptions> = {
  file: text,
  ignore: [(value) => value instanceof RegExp || typeof value === 'function', 'must be a regular expression or a function'],
  database: text,
  migrations: text
}

/** The recordings of this process, by their files. */
const recordings = new Map<string, Recording>()

/**
 * Records the statements that the repositories, sessions and Drizzle databases of this process send, without values, in `statements.lock`. Commit the file:
 * `data-access migrate prove` asks PostgreSQL whether the statements of the running program work on the schema of the next one.
 *
 * Call it in the setup of the tests. The file only grows, so a run of one test removes nothing, and any number of processes may record at once. To forget
 * statements that are no longer sent, delete the file and run all tests. Statements that PostgreSQL cannot prepare (DDL, settings, savepoints), those of
 * migrations, and those that failed because they were wrong are left out. Lists of any length are one statement.
 *
 * @throws UsageError for an unknown option, or a value that an option does not take
 * @example
 * ```ts
 * recordStatements({ ignore: ({ route }) => route === 'database' })
 * ```
 */
export function recordStatements (options: RecordOptions = {}): StatementRecording {
  checkCall('recordStatements()', options, checks)
  const file = resolve(options.file ?? 'statements.lock')
  // A second setup in the same process, as with Vitest's isolate: false.
  recordings.get(file)?.leave()
  const recording = new Recording(file, options)
  recordings.set(file, recording)
  return recording
}

class Recording implements StatementRecording {
  readonly #file: string
  readonly #options: RecordOptions
  readonly #seen = new Set<string>()
  readonly #unwritten = new Map<string, string | undefined>()
  readonly #ready: Promise<void>
  #known: StatementLock
  #migration: string | undefined

  constructor (file: string, options: RecordOptions) {
    this.#file = file
    this.#options = options
    this.#known = readLock(file)
    this.#ready = this.#findMigration()
    statementChannel.asyncEnd.subscribe(this.#note)
    process.on('exit', this.#write)
  }

  async stop (): Promise<void> {
    await this.#ready
    this.leave()
  }

  leave (): void {
    statementChannel.asyncEnd.unsubscribe(this.#note)
    process.off('exit', this.#write)
    this.#write()
  }

  readonly #note = (message: unknown): void => {
    const { database, text, table, operation, route, sqlState } = message as StatementMessage // the channel's own message
    if (database !== (this.#options.database ?? 'default') || this.#seen.has(text)) return
    // Class 42: the statement was wrong, and so is its test's intention.
    if (sqlState?.startsWith('42') === true || this.#ignores({ text, table, operation, route })) return
    this.#seen.add(text)
    for (const statement of canonicalStatements(text)) {
      if (!this.#known.statements.has(statement)) this.#unwritten.set(statement, table)
    }
    // At once: runners end their processes without an event.
    this.#write()
  }

  #ignores (statement: RecordableStatement): boolean {
    const { ignore } = this.#options
    if (ignore === undefined) return false
    return typeof ignore === 'function' ? ignore(statement) : statement.text.search(ignore) >= 0
  }

  readonly #write = (): void => {
    if (this.#unwritten.size === 0 && (this.#seen.size === 0 || this.#migration === undefined || this.#known.migration === this.#migration)) return
    this.#known = addToLock(this.#file, this.#unwritten, this.#migration)
    this.#unwritten.clear()
  }

  async #findMigration (): Promise<void> {
    this.#migration = await newestMigration(this.#options.migrations)
    this.#write()
  }
}

/** The newest migration of a folder. A program may have no migrations yet, but a folder that it names is there. */
async function newestMigration (folder: string | undefined): Promise<string | undefined> {
  const reading = readLayout(folder ?? './drizzle')
  const { entries } = folder === undefined ? await reading.catch(() => ({ entries: [] })) : await reading
  return entries.at(-1)?.tag
}
