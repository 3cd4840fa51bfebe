import { readAlterTable, readOnTable } from './alter-table.js'
import { readCreateTable, readCreateView } from './create-table.js'
import { readAlterIndex, readCreateIndex, readDropIndex, readReindex } from './index-statements.js'
import { readCluster, readDropSchema, readDropTable, readInsert, readLock, readRefresh, readTruncate, readVacuum, readWrite } from './other-statements.js'
import { TokenReader } from './token-reader.js'
import type { Change } from './change.js'
import type { SqlToken } from './sql-token.js'

type Read = (reader: TokenReader) => Change | undefined

const exclusive: Read = (reader) => readOnTable(reader, { isExclusive: true })
const onlyWrites: Read = (reader) => readOnTable(reader, { isExclusive: false })
const newRule: Read = (reader) => readOnTable(reader, { before: 'TO', isExclusive: true })

/** The statements that are read, by their first words. Any other statement keeps no table locked for long. */
const reads: ReadonlyArray<readonly [words: string, read: Read]> = [
  ['ALTER TABLE', readAlterTable],
  ['CREATE TABLE', readCreateTable],
  ...['UNLOGGED', 'TEMP', 'TEMPORARY', 'LOCAL TEMP', 'LOCAL TEMPORARY', 'GLOBAL TEMP', 'GLOBAL TEMPORARY'].map((words) => [`CREATE ${words} TABLE`, readCreateTable] as const),
  ['CREATE MATERIALIZED VIEW', readCreateView],
  ['DROP TABLE', readDropTable],
  ['DROP MATERIALIZED VIEW', readDropTable],
  ['DROP SCHEMA', readDropSchema],
  ['CREATE INDEX', readCreateIndex],
  ['CREATE UNIQUE INDEX', readCreateIndex],
  ['ALTER INDEX', readAlterIndex],
  ['DROP INDEX', readDropIndex],
  ['REINDEX', readReindex],
  ['TRUNCATE', readTruncate],
  ['LOCK', readLock],
  ['REFRESH MATERIALIZED VIEW', readRefresh],
  ['VACUUM', readVacuum],
  ['CLUSTER', readCluster],
  ['INSERT INTO', readInsert],
  ['UPDATE', readWrite],
  ['DELETE FROM', readWrite],
  ['MERGE INTO', readWrite],
  ...['CREATE POLICY', 'ALTER POLICY', 'DROP POLICY', 'DROP RULE', 'DROP TRIGGER'].map((words) => [words, exclusive] as const),
  ...['CREATE RULE', 'CREATE OR REPLACE RULE'].map((words) => [words, newRule] as const),
  ...['CREATE TRIGGER', 'CREATE CONSTRAINT TRIGGER', 'CREATE OR REPLACE TRIGGER'].map((words) => [words, onlyWrites] as const)
]

/** What a statement does to tables; undefined for one that concerns neither their locks nor their rows. */
export function readChange (tokens: readonly SqlToken[]): Change | undefined {
  const reader = new TokenReader(tokens)
  if (reader.take('WITH')) reader.until('UPDATE', 'DELETE FROM', 'INSERT INTO', 'MERGE INTO')
  return reads.find(([words]) => reader.take(words))?.[1](reader)
}

/** Whether a statement of {@link readChange} begins here. */
export function beginsChange (tokens: readonly SqlToken[]): boolean {
  const reader = new TokenReader(tokens)
  return reads.some(([words]) => reader.is(words))
}
