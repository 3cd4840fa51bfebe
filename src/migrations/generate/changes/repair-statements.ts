/** Corrects statements of drizzle-kit 0.31. This file goes when drizzle-kit 1.0 is the only supported version and writes them correctly. */
import type { Snapshot } from '../snapshots/snapshot.js'
import { quotedName } from '../snapshots/names.js'

/** The comment that drizzle-kit writes in place of a statement, because it does not know the name of the primary key. */
const primaryKeyComment = /^\/\*[^]*table_schema = '(.+)'\s+AND table_name = '(.+)'[^]*-- ALTER TABLE/

const rowLevelSecurity = /^ALTER TABLE (.+) (?:EN|DIS)ABLE ROW LEVEL SECURITY;$/

/** Replaces the comment about a primary key by a statement, and removes changes of row level security from the steps. */
export function repairStatements (statements: readonly string[], { before }: { readonly before: Snapshot }): string[] {
  const tables = new Set(Object.values(before.tables).map(quotedName))
  return statements.flatMap((statement) => {
    const [, schema, table] = primaryKeyComment.exec(statement) ?? []
    if (schema !== undefined) return [dropPrimaryKey(`"${schema}"."${table}"`)]
    // Intermediate steps drop and create policies. Row level security changes only at the end, so that no rows are exposed meanwhile.
    const [, secured = ''] = rowLevelSecurity.exec(statement) ?? []
    return tables.has(secured) ? [] : [statement]
  })
}

/** Turns row level security on and off, for the tables that both snapshots have. */
export function alterRowLevelSecurity (before: Snapshot, after: Snapshot): string[] {
  const isOn = ({ tables }: Snapshot, key: string) => tables[key]!.isRLSEnabled === true || Object.keys(tables[key]!.policies).length > 0
  return Object.entries(after.tables).flatMap(([key, table]) => {
    if (before.tables[key] === undefined || isOn(before, key) === isOn(after, key)) return []
    return [`ALTER TABLE ${quotedName(table)} ${isOn(after, key) ? 'ENABLE' : 'DISABLE'} ROW LEVEL SECURITY;`]
  })
}

function dropPrimaryKey (table: string): string {
  return `DO $$ DECLARE "name" text; BEGIN
  SELECT "conname" INTO STRICT "name" FROM "pg_constraint" WHERE "contype" = 'p' AND "conrelid" = '${table}'::regclass;
  EXECUTE format('ALTER TABLE ${table} DROP CONSTRAINT %I', "name");
END $$;`
}
