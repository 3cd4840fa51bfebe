import type { Snapshot } from '../snapshots/snapshot.js'
import { quotedName } from '../snapshots/names.js'

/** drizzle-kit's comment in place of a statement: it does not know how PostgreSQL named the primary key. */
const primaryKeyComment = /^\/\*[^]*table_schema = '(.+)'\s+AND table_name = '(.+)'[^]*-- ALTER TABLE/

const rowLevelSecurity = /^ALTER TABLE (.+) (?:EN|DIS)ABLE ROW LEVEL SECURITY;$/

/** drizzle-kit's statements between two snapshots on a way, and what PostgreSQL needs in place of one that does nothing. */
export function repairStatements (statements: readonly string[], { before }: { readonly before: Snapshot }): string[] {
  const tables = new Set(Object.values(before.tables).map(quotedName))
  return statements.flatMap((statement) => {
    const [, schema, table] = primaryKeyComment.exec(statement) ?? []
    if (schema !== undefined) return [dropPrimaryKey(`"${schema}"."${table}"`)]
    // Policies come and go on the way, and nobody should see rows meanwhile: what is said of this is said at the end.
    const [, secured = ''] = rowLevelSecurity.exec(statement) ?? []
    return tables.has(secured) ? [] : [statement]
  })
}

/** What turns row level security on and off, of tables that were there before and still are. */
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
