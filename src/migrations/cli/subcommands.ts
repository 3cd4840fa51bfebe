import { MigrationError } from '../../errors/errors.js'
import { canAsk, confirm } from '../../runtime/confirm.js'
import { baseline } from './baseline.js'
import { checkMigrations } from '../check-migrations.js'
import { createMigration } from '../generate/create-migration.js'
import { installedKit } from '../generate/installed-kit.js'
import { writeDownFiles } from '../generate/write-down-files.js'
import { lintMigrations } from '../lint-migrations.js'
import { rollbackMigrations } from '../rollback-migrations.js'
import { describeDropped } from '../runner/dropped-rows.js'
import { runMigrations } from '../run-migrations.js'
import { getMigrationHistory, readSchemaStatus, readStatus } from '../migration-status.js'
import { upgradeMigrations } from '../upgrade-migrations.js'
import type { Terminal } from '../../runtime/questions.js'
import type { Migration } from '../folder/migration-files.js'
import type { RunnerOptions } from '../history/migration-options.js'
import { numberOf, renamesOf, schemasOf, type Values } from './arguments.js'
import { readConfig } from './drizzle-config.js'
import { configOf, databaseOf, migrationsOf, modelOf, targetOf, type Place } from './target.js'
import { prove } from './prove.js'
import { createdText, lintText } from './blocking-text.js'
import { lines, upgradeText, type Report } from './report.js'
import { schemaReport, schemaStatus } from './schema-report.js'
import { CommandUsageError } from './usage-error.js'

/** The surroundings of a call: its folder and environment, the terminal, and the log. */
export interface Caller extends Place {
  /** The arguments behind the subcommand. */
  readonly files: readonly string[]
  readonly terminal: Terminal
  /** Stops the run. */
  readonly signal: AbortSignal
  /** Prints one line of progress. */
  readonly log: (line: string) => void
}

type Subcommand = (values: Values, caller: Caller) => Promise<Report>

/** The subcommands of `migrate`. */
export const run: Readonly<Record<string, Subcommand>> = { create, up, down, status, history, current, check, lint, 'down-files': downFiles, baseline, upgrade, prove }

async function create (values: Values, caller: Caller): Promise<Report> {
  const { message, empty = false } = values
  if (message === undefined) throw new CommandUsageError('migrate create needs a message: -m "add a nickname"')
  // The tables always come from the configuration, even if --folder is given.
  const config = await readConfig(values.config, caller.cwd)
  const { folder, ...model } = empty ? { folder: migrationsOf(values, config, caller) } : await modelOf(values, config, caller)
  if (!empty && !('schema' in model && model.schema !== undefined)) throw new CommandUsageError('No configuration names a schema: write a drizzle.config.ts with dialect, schema and out, or use --empty to write SQL of your own')
  const { layout } = installedKit()
  const { created } = await createMigration({
    ...model, folder, message, autogenerate: !empty, renames: renamesOf(values), prefix: config.migrations?.prefix, breakpoints: config.breakpoints, terminal: caller.terminal, signal: caller.signal
  })
  return {
    document: { created: created ?? null },
    text: created === undefined ? 'Nothing to do: the tables match the newest migration' : createdText(created, layout)
  }
}

async function up (values: Values, caller: Caller): Promise<Report> {
  const options = { ...await runnerOf(values, caller), to: values.to }
  const schemas = schemasOf(values)
  if (schemas !== undefined) return await schemaReport(() => runMigrations({ ...options, ...schemas }), { headline: values['dry-run'] === true ? 'to apply' : 'applied', pattern: schemas.schemas })
  const { applied } = await runMigrations(options)
  return { document: { applied }, text: lines(`${applied.length} ${values['dry-run'] === true ? 'to apply' : 'applied'}`, tags(applied)) }
}

async function down (values: Values, caller: Caller): Promise<Report> {
  const steps = numberOf(values, 'steps')
  const { to } = values
  const options = { ...await runnerOf(values, caller), steps }
  const schemas = schemasOf(values)
  if (schemas !== undefined) {
    if (to === undefined) throw new CommandUsageError('migrate down --schemas needs --to: if it were repeated with --steps, it would undo more where it had succeeded')
    return await schemaReport(() => rollbackMigrations({ ...options, ...schemas, to, confirmIrreversible: values['confirm-irreversible'] }), { headline: values['dry-run'] === true ? 'to roll back' : 'rolled back', pattern: schemas.schemas })
  }
  const { rolledBack, lost } = await orAsk((confirmIrreversible) => rollbackMigrations({ ...options, to, confirmIrreversible }), values, caller)
  const isDry = values['dry-run'] === true
  return {
    document: { rolledBack, lost },
    text: lines(`${rolledBack.length} ${isDry ? 'to roll back' : 'rolled back'}`, [...tags(rolledBack), ...lost.map((rows) => `  ${isDry ? 'would drop' : 'dropped'} ${describeDropped(rows)}`)])
  }
}

/** Runs a rollback. If it loses something, it is refused before anything has changed, and a user in a terminal is asked. */
async function orAsk<Result> (run: (isConfirmed: boolean) => Promise<Result>, values: Values, { terminal, env, signal }: Caller): Promise<Result> {
  try {
    return await run(values['confirm-irreversible'] === true)
  } catch (error) {
    const isRefused = error instanceof MigrationError && error.code === 'DB_MIGRATION_IRREVERSIBLE'
    if (!isRefused || values['dry-run'] === true || !canAsk(terminal, env)) throw error
    if (await confirm(terminal, `${error.message}\nType yes to roll back anyway: `, signal)) return await run(true)
    throw new MigrationError('Nothing was rolled back, because the answer was not yes', 'DB_MIGRATION_IRREVERSIBLE')
  }
}

async function status (values: Values, caller: Caller): Promise<Report> {
  const database = databaseOf(values, await configOf(values, caller), caller)
  const schemas = schemasOf(values)
  if (schemas !== undefined) return schemaStatus(await readSchemaStatus({ ...database, ...schemas }))
  const { ok, problems, applied } = await readStatus(database)
  const pending = problems.filter(({ kind }) => kind === 'pending').map(({ tag }) => tag)
  const others = problems.filter(({ kind }) => kind !== 'pending')
  return {
    document: { applied, pending, problems: others },
    text: lines(ok ? 'Everything is applied' : 'Something is pending or differs', [
      ...applied.map(({ tag }) => `  applied  ${tag}`), ...pending.map((tag) => `  pending  ${tag}`), ...others.map(({ message }) => `  ${message}`)
    ]),
    isDue: !ok
  }
}

async function history (values: Values, caller: Caller): Promise<Report> {
  const applied = await getMigrationHistory(databaseOf(values, await configOf(values, caller), caller))
  return { document: { applied }, text: lines(`${applied.length} applied`, tags(applied)) }
}

async function current (values: Values, caller: Caller): Promise<Report> {
  const applied = await getMigrationHistory(databaseOf(values, await configOf(values, caller), caller))
  return { document: { current: applied.at(-1) ?? null }, text: applied.at(-1)?.tag ?? 'Nothing is applied' }
}

async function check (values: Values, caller: Caller): Promise<Report> {
  const config = await readConfig(values.config, caller.cwd)
  const { ok, problems } = await checkMigrations({ ...await modelOf(values, config, caller), ...databaseOf(values, config, caller), schemas: values.schemas })
  return { document: { ok, problems }, text: lines(ok ? 'Tables, folder and database match' : 'Something differs', problems.map(({ schema, message }) => `  ${schema === undefined ? '' : `${schema}  `}${message}`)), isDue: !ok }
}

async function lint (values: Values, caller: Caller): Promise<Report> {
  const { all = false } = values
  const { files } = caller
  if (all && files.length > 0) throw new CommandUsageError('migrate lint checks --all migrations, or those that are named: give one of the two')
  const config = await configOf(values, caller)
  const isPending = !all && files.length === 0
  const found = await lintMigrations(isPending
    ? databaseOf(values, config, caller)
    : { folder: migrationsOf(values, config, caller), migrations: all ? 'all' : files })
  return { document: found, text: lintText(found), isDue: !found.ok }
}

async function downFiles (values: Values, caller: Caller): Promise<Report> {
  const { written } = await writeDownFiles({ folder: migrationsOf(values, await configOf(values, caller), caller) })
  return {
    document: { written },
    text: lines(`${written.length} written`, written.flatMap(({ tag, irreversible }) => [`  ${installedKit().layout.downFile(tag)}`, ...irreversible.map((what) => `    cannot be restored: ${what}`)]))
  }
}

async function upgrade (values: Values, caller: Caller): Promise<Report> {
  const { write = false, back = false } = values
  const document = await upgradeMigrations({ ...targetOf(values, await configOf(values, caller), caller), lockTimeoutSeconds: numberOf(values, 'lock-timeout'), write, back })
  return { document, text: upgradeText(document, back) }
}

async function runnerOf (values: Values, caller: Caller): Promise<RunnerOptions> {
  const lockTimeoutSeconds = numberOf(values, 'lock-timeout')
  return {
    ...databaseOf(values, await configOf(values, caller), caller),
    lockTimeoutSeconds,
    dryRun: values['dry-run'],
    signal: caller.signal,
    onProgress: ({ schema, tag, statement, total, durationMillis }) => caller.log(`${fileOf(schema, tag)}  ${statement}/${total}  ${Math.round(durationMillis)} ms`),
    onWait: ({ schema, tag, attempts, pauseMillis, blockedBy }) => caller.log(`${fileOf(schema, tag)}  did not get its locks (${[`attempt ${attempts}`, ...blockedBy].join(', ')}): retrying in ${pauseMillis} ms`)
  }
}

function fileOf (schema: string | undefined, tag: string): string {
  return schema === undefined ? tag : `${schema}  ${tag}`
}

function tags (migrations: readonly Migration[]): string[] {
  return migrations.map(({ tag }) => `  ${tag}`)
}
