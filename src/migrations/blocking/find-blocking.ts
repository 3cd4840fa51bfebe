import { MigrationError } from '../../errors/errors.js'
import { mayBlock, parseMigration, statementsOf } from '../folder/directives.js'
import { scanSql } from '../folder/sql-scanner.js'
import { HeldLocks } from './held-locks.js'
import { judgeAction } from './judge-action.js'
import { judgeChange } from './judge-change.js'
import { KnownTables } from './known-tables.js'
import { rules, type BlockingRule, type Judgement, type Lock } from './rule.js'
import { readStatement, type PlacedChange } from './statements/read-statement.js'
import { sqlOf, type SqlToken } from './statements/sql-token.js'
import type { TableAction } from './statements/table-action.js'

/** A statement of a migration that would block a table in use. */
export interface BlockingStatement {
  /** The migration. */
  readonly tag: string
  /** Its file, within the folder. */
  readonly file: string
  /** The line of the file, from 1. */
  readonly line: number
  readonly rule: BlockingRule
  /** The table that would be locked, as SQL names it; undefined if the files do not tell, as for an index that none of them creates. */
  readonly table: string | undefined
  /** The strongest lock that it keeps while it works. */
  readonly lock: Lock
  /** The statement in short, or its action of ALTER TABLE. */
  readonly statement: string
  /** What would happen, in a sentence. */
  readonly message: string
  /** What to do instead, in order: sentences, and SQL. */
  readonly steps: readonly string[]
}

/** The file of a migration. */
export interface MigrationSql {
  readonly tag: string
  readonly file: string
  readonly text: string
  /** Whether it is checked. Any other file only tells what there is before. */
  readonly isChecked: boolean
}

/**
 * Finds the statements that would block a table in use. The files before them tell which tables, columns, checks and indexes there are.
 *
 * @param files the migrations of a folder, in their order
 * @param areTogether whether the checked files are deployed together, so that nobody uses a table yet that one of them creates. Otherwise each is deployed by itself
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for an unknown directive, or one with an unknown rule
 */
export function findBlocking (files: readonly MigrationSql[], { areTogether }: { readonly areTogether: boolean }): BlockingStatement[] {
  const tables = new KnownTables()
  return files.flatMap((file) => {
    const found = file.isChecked ? findIn(file, tables) : note(file, tables)
    if (!file.isChecked || !areTogether) tables.settle()
    return found
  })
}

/** Notes what a file has changed that is not checked. */
function note ({ text }: MigrationSql, tables: KnownTables): [] {
  for (const { sql, at } of statementsOf(text)) for (const { change } of readStatement(sql, at)) tables.apply(change)
  return []
}

function findIn ({ tag, file, text }: MigrationSql, tables: KnownTables): BlockingStatement[] {
  const { transactional } = parseMigration(text, file)
  let locks = new HeldLocks(tables)
  return statementsOf(text).flatMap(({ sql, at }) => {
    if (!transactional) locks = new HeldLocks(tables)
    const allowed = allowedRules(sql, file)
    const found = readStatement(sql, at).flatMap((placed) => judge(placed, tables, locks)).filter(({ judgement }) => !allowed.includes(judgement.rule))
    return found.map(({ judgement, tokens }) => ({
      tag, file, line: lineOf(text, tokens), lock: rules[judgement.rule][1], statement: shortened(sqlOf(tokens)), ...judgement
    }))
  })
}

function lineOf (text: string, [first]: readonly SqlToken[]): number {
  return text.slice(0, first!.at).split('\n').length
}

interface PlacedJudgement {
  readonly judgement: Judgement
  readonly tokens: readonly SqlToken[]
}

/** The judgements of a statement, which is then noted. */
function judge ({ change, tokens }: PlacedChange, tables: KnownTables, locks: HeldLocks): PlacedJudgement[] {
  const found: Array<readonly [Judgement | undefined, readonly SqlToken[]]> = change.kind === 'alterTable'
    ? change.actions.map(({ action, tokens }) => [isFree(change.table, action, tables) ? undefined : judgeAction(action, { table: change.table, tables, tokens }), tokens])
    : [[judgeChange(change, { tables, tokens }), tokens]]
  found.push([locks.take(change), tokens])
  tables.apply(change)
  return found.flatMap(([judgement, tokens]) => judgement === undefined ? [] : [{ judgement, tokens }])
}

/** Whether an action blocks nobody, because its table is new. A partition that is attached may be older. */
function isFree (table: string, { kind }: TableAction, tables: KnownTables): boolean {
  return tables.table(table).isNew && kind !== 'attachPartition'
}

function allowedRules (sql: string, file: string): string[] {
  const allowed = mayBlock(scanSql(sql).lineComments)
  const unknown = allowed.find((rule) => !Object.hasOwn(rules, rule))
  if (unknown === undefined) return allowed
  throw new MigrationError(`${file} has the directive may-block with an unknown rule, ${unknown}: the rules are ${Object.keys(rules).join(', ')}`, 'DB_MIGRATION_FAILED')
}

/** The longest statement that is shown. */
const longest = 160

function shortened (sql: string): string {
  return sql.length > longest ? `${sql.slice(0, longest)}…` : sql
}
