/** Renames the sequences of identity columns. They share the namespace of tables, and keep their names when their table or column is renamed. */
import { interimName, splitKey } from '../snapshots/rename.js'
import { quotedText, quotedName } from '../snapshots/names.js'
import type { Snapshot, Table } from '../snapshots/snapshot.js'

/** An identity column, and the name of its sequence. */
export interface IdentitySequence {
  /** The key of the table and the name of the column, joined by a dot. */
  readonly owner: string
  readonly table: Table
  readonly column: string
  /** `schema.name`. */
  readonly key: string
}

/** The sequences of all identity columns of a snapshot. */
export function identitySequences ({ tables }: Snapshot): IdentitySequence[] {
  return Object.entries(tables).flatMap(([tableKey, table]) => Object.values(table.columns).flatMap(({ name: column, identity }) =>
    identity === undefined ? [] : [{ owner: `${tableKey}.${column}`, table, column, key: `${table.schema === '' ? 'public' : table.schema}.${identity.name}` }]))
}

/** Renames the sequence of an identity column, whatever its present name is: a migration of drizzle-kit may have left an older name. */
export function renameIdentitySequence ({ table, column }: IdentitySequence, name: string): string {
  return `DO $$ DECLARE "sequence" text := pg_get_serial_sequence(${quotedText(quotedName(table))}, ${quotedText(column)}); BEGIN
  EXECUTE format('ALTER SEQUENCE %s RENAME TO %I', "sequence", ${quotedText(name)});
END $$;`
}

/**
 * Gives identity sequences the names of the later snapshot. If another sequence still has such a name, that sequence is renamed first. In a circle, and if that
 * sequence is about to be dropped, it gets an interim name.
 */
export function renameIdentitySequences (before: Snapshot, after: Snapshot): string[] {
  const present = new Map(identitySequences(before).map((sequence) => [sequence.owner, sequence]))
  const wanted = new Map(identitySequences(after).map((sequence) => [sequence.owner, sequence]))
  const keys = new Map([...present.values()].map(({ owner, key }) => [owner, key]))
  const statements: string[] = []
  const rename = (sequence: IdentitySequence, name: string): void => {
    statements.push(renameIdentitySequence(sequence, name))
    keys.set(sequence.owner, `${splitKey(sequence.key)[0]}.${name}`)
  }
  /** @param waiting the owners whose renames wait for this one */
  const give = ({ owner, key }: IdentitySequence, waiting: readonly string[]): void => {
    const holder = [...present.values()].find((sequence) => keys.get(sequence.owner) === key)
    if (holder?.owner === owner) return
    if (holder !== undefined) {
      const next = wanted.get(holder.owner)
      if (next === undefined || waiting.includes(holder.owner)) rename(holder, interimName(splitKey(key)[1]))
      else give(next, [...waiting, owner])
    }
    const own = present.get(owner)
    if (own !== undefined) rename(own, splitKey(key)[1])
  }
  for (const sequence of wanted.values()) give(sequence, [])
  return statements
}
