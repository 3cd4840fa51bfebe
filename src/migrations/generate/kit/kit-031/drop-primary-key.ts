/** The comment that drizzle-kit 0.31 writes in place of a statement, because it does not know the name of the primary key. */
const primaryKeyComment = /^\/\*[^]*table_schema = '(.+)'\s+AND table_name = '(.+)'[^]*-- ALTER TABLE/

/** Replaces the comment about a primary key by a statement. */
export function withDroppedPrimaryKeys (statements: readonly string[]): string[] {
  return statements.map((statement) => {
    const [, schema, table] = primaryKeyComment.exec(statement) ?? []
    return schema === undefined ? statement : dropPrimaryKey(`"${schema}"."${table}"`)
  })
}

function dropPrimaryKey (table: string): string {
  return `DO $$ DECLARE "name" text; BEGIN
  SELECT "conname" INTO STRICT "name" FROM "pg_constraint" WHERE "contype" = 'p' AND "conrelid" = '${table}'::regclass;
  EXECUTE format('ALTER TABLE ${table} DROP CONSTRAINT %I', "name");
END $$;`
}
