import { rewritten } from './judge-action.js'
import { quoted } from './statements/full-name.js'
import { sqlOf, type SqlToken } from './statements/sql-token.js'
import { isBlocking, outside, type Judgement } from './rule.js'
import type { KnownTables } from './known-tables.js'
import type { Change } from './statements/change.js'

/** A statement, and the tables before it. */
export interface StatementPlace {
  readonly tables: KnownTables
  readonly tokens: readonly SqlToken[]
}

/** What a statement blocks that is no ALTER TABLE; undefined if it is over at once. Tables that are new block nobody. */
export function judgeChange (change: Change, place: StatementPlace): Judgement | undefined {
  switch (change.kind) {
    case 'createIndex': return judgeCreateIndex(change, place)
    case 'dropIndex': return judgeDropIndex(change, place)
    case 'reindex': return judgeReindex(change, place)
    case 'lockTable': return judgeLock(change, place)
    case 'refreshView': return judgeRefresh(change, place)
    case 'rewriteTables': return judgeRewrite(change, place)
    default: return undefined
  }
}

function judgeCreateIndex ({ table, isConcurrent, isOnly }: Change & { kind: 'createIndex' }, { tables, tokens }: StatementPlace): Judgement | undefined {
  const known = tables.table(table)
  if (isConcurrent || isOnly || known.isNew) return undefined
  return {
    rule: 'create-index',
    table,
    message: `CREATE INDEX reads every row of ${table}, and nobody writes the table until it ends`,
    steps: known.isPartitioned
      ? [`Here: CREATE INDEX … ON ONLY ${quoted(table)}; then ${outside} for each partition: CREATE INDEX CONCURRENTLY; and at last ALTER INDEX … ATTACH PARTITION …;`]
      : [`Instead, ${outside}: ${sqlOf(tokens).replace(/^(CREATE (?:UNIQUE )?INDEX)/i, '$1 CONCURRENTLY')};`]
  }
}

function judgeDropIndex ({ indexes, isConcurrent }: Change & { kind: 'dropIndex' }, { tables, tokens }: StatementPlace): Judgement | undefined {
  const busy = indexes.find((index) => tables.index(index) === undefined || !isNew(tables, tables.index(index)?.table))
  if (isConcurrent || busy === undefined) return undefined
  const table = tables.index(busy)?.table
  return {
    rule: 'drop-index',
    table,
    message: `DROP INDEX is quick, but waits for every statement on ${table ?? 'the table of the index'}, and all later ones wait behind it`,
    steps: [`Instead, ${outside}: ${sqlOf(tokens).replace(/^(DROP INDEX)/i, '$1 CONCURRENTLY')};`]
  }
}

function judgeReindex ({ target, name, isConcurrent }: Change & { kind: 'reindex' }, { tables, tokens }: StatementPlace): Judgement | undefined {
  const table = target === 'table' ? name : target === 'index' ? tables.index(name)?.table : undefined
  if (isConcurrent || isNew(tables, table)) return undefined
  return {
    rule: 'reindex',
    table,
    message: `REINDEX reads every row of ${table ?? 'the table'}; until it ends nobody writes the table, and queries that would use the index wait`,
    steps: [`Instead, ${outside}: ${sqlOf(tokens).replace(/\b(INDEX|TABLE|SCHEMA|DATABASE|SYSTEM)\b/i, '$1 CONCURRENTLY')};`]
  }
}

function judgeLock ({ tables: names, mode }: Change & { kind: 'lockTable' }, { tables }: StatementPlace): Judgement | undefined {
  const table = names.find((name) => !isNew(tables, name))
  if (table === undefined || !isBlocking(mode)) return undefined
  return {
    rule: 'lock-table',
    table,
    lock: mode,
    message: `LOCK TABLE keeps ${mode} on ${table} until the file ends, and nobody ${mode === 'ACCESS EXCLUSIVE' ? 'reads or writes' : 'writes'} the table until then`,
    steps: ['Leave it out: each statement takes the lock that it needs. To keep two runs apart, pg_advisory_xact_lock() blocks no reader and no writer']
  }
}

function judgeRefresh ({ view, isConcurrent, hasData }: Change & { kind: 'refreshView' }, { tables }: StatementPlace): Judgement | undefined {
  if (isConcurrent || !hasData || isNew(tables, view)) return undefined
  return {
    rule: 'refresh-view',
    table: view,
    message: `REFRESH MATERIALIZED VIEW computes ${view} again, and nobody reads it until it ends`,
    steps: [
      `Once: CREATE UNIQUE INDEX on columns of ${quoted(view)} without a condition, which CONCURRENTLY needs`,
      `Instead: REFRESH MATERIALIZED VIEW CONCURRENTLY ${quoted(view)};`
    ]
  }
}

function judgeRewrite ({ tables: names }: Change & { kind: 'rewriteTables' }, { tables }: StatementPlace): Judgement | undefined {
  const busy = names.find((name) => !isNew(tables, name))
  return names.length > 0 && busy === undefined ? undefined : rewritten(busy)
}

function isNew (tables: KnownTables, name: string | undefined): boolean {
  return name !== undefined && tables.table(name).isNew
}
