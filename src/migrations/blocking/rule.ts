import { noTransaction } from '../folder/directives.js'

/** The locks that a rule is about: see "Explicit Locking" in the documentation of PostgreSQL. */
export type Lock = 'ACCESS EXCLUSIVE' | 'EXCLUSIVE' | 'SHARE ROW EXCLUSIVE' | 'SHARE'

/** The rules of the check of blocking statements, each with the statements that it is about, and the lock that they keep. */
export const rules = {
  'set-not-null': ['SET NOT NULL', 'ACCESS EXCLUSIVE'],
  'foreign-key': ['a foreign key without NOT VALID', 'SHARE ROW EXCLUSIVE'],
  'check-constraint': ['a CHECK without NOT VALID', 'ACCESS EXCLUSIVE'],
  'unique-constraint': ['UNIQUE or PRIMARY KEY without USING INDEX', 'ACCESS EXCLUSIVE'],
  'exclusion-constraint': ['EXCLUDE', 'ACCESS EXCLUSIVE'],
  'column-type': ['ALTER COLUMN TYPE', 'ACCESS EXCLUSIVE'],
  'column-values': ['ADD COLUMN with a value for each row', 'ACCESS EXCLUSIVE'],
  'not-null-without-default': ['ADD COLUMN NOT NULL without a default', 'ACCESS EXCLUSIVE'],
  'create-index': ['CREATE INDEX without CONCURRENTLY', 'SHARE'],
  'drop-index': ['DROP INDEX without CONCURRENTLY', 'ACCESS EXCLUSIVE'],
  reindex: ['REINDEX without CONCURRENTLY', 'SHARE'],
  'rewrite-table': ['VACUUM FULL, CLUSTER, SET LOGGED, SET TABLESPACE', 'ACCESS EXCLUSIVE'],
  'lock-table': ['LOCK TABLE', 'ACCESS EXCLUSIVE'],
  'refresh-view': ['REFRESH MATERIALIZED VIEW without CONCURRENTLY', 'ACCESS EXCLUSIVE'],
  'attach-partition': ['ATTACH PARTITION of a table without a CHECK', 'ACCESS EXCLUSIVE'],
  'work-under-lock': ['VALIDATE CONSTRAINT, UPDATE or DELETE behind a lock of the same transaction', 'ACCESS EXCLUSIVE'],
  'several-tables': ['locks of several tables in one transaction', 'ACCESS EXCLUSIVE']
} as const satisfies Readonly<Record<string, readonly [what: string, lock: Lock]>>

/** The name of a rule of {@link rules}. */
export type BlockingRule = keyof typeof rules

/** The modes of LOCK TABLE that block writes, and those of {@link Lock}. */
const locks: readonly string[] = ['ACCESS EXCLUSIVE', 'EXCLUSIVE', 'SHARE ROW EXCLUSIVE', 'SHARE'] satisfies Lock[]

/** Whether a mode of a lock blocks writes. */
export function isBlocking (mode: string): mode is Lock {
  return locks.includes(mode)
}

/** Where a statement with CONCURRENTLY stands, for the steps. */
export const outside = `in a file of its own with the line ${noTransaction}`

/** What a rule has found. */
export interface Judgement {
  readonly rule: BlockingRule
  /** The table that would be locked; undefined if the file does not tell, as for an index that no file creates. */
  readonly table: string | undefined
  /** The lock, where it is not that of the rule. */
  readonly lock?: Lock
  /** A sentence on what would happen. */
  readonly message: string
  /** What to do instead, in order: sentences, and SQL. */
  readonly steps: readonly string[]
}
