import type { Column, Snapshot } from './snapshot.js'

/** drizzle-kit's comment in place of a statement: it does not know how PostgreSQL named the primary key. */
const primaryKeyComment = /^\/\*[^]*table_schema = '(.+)'\s+AND table_name = '(.+)'[^]*-- ALTER TABLE/

const typeChange = /^ALTER TABLE (.+) ALTER COLUMN "(.+)" SET DATA TYPE ([^;]+?)(?: USING [^;]+)?;$/

/** Types whose values PostgreSQL turns into each other by itself, where a column changes its type; into text it turns any. */
const families = [
  /^(smallint|integer|bigint|numeric|real|double precision)\b/,
  /^(text|varchar|char)\b/,
  /^(timestamp|date|time)\b/,
  /^jsonb?$/
]

/** drizzle-kit's statements, and what PostgreSQL needs in place of the two that it would not take, or that do nothing. */
export function repair (statements: readonly string[], { before, after }: { before: Snapshot, after: Snapshot }): string[] {
  const changes = statements.flatMap((statement) => {
    const [, table = '', name = '', type = ''] = typeChange.exec(statement) ?? []
    const [from, to] = [before, after].map((snapshot) => findTable(snapshot, table)?.columns[name])
    return from === undefined || to === undefined || isWellDone(from, to) ? [] : [{ statement, type, from, to, alter: `ALTER TABLE ${table} ALTER COLUMN "${name}"` }]
  })
  return statements.flatMap((statement) => {
    const [, schema, table] = primaryKeyComment.exec(statement) ?? []
    if (schema !== undefined) return [dropPrimaryKey(`"${schema}"."${table}"`)]
    const change = changes.find(({ alter }) => statement.startsWith(`${alter} SET D`) || statement.startsWith(`${alter} DROP DEFAULT`))
    if (change === undefined) return [statement]
    // The defaults go with the type.
    return statement === change.statement ? changeType(change) : []
  })
}

function dropPrimaryKey (table: string): string {
  return `DO $$ DECLARE "name" text; BEGIN
  SELECT "conname" INTO STRICT "name" FROM "pg_constraint" WHERE "contype" = 'p' AND "conrelid" = '${table}'::regclass;
  EXECUTE format('ALTER TABLE ${table} DROP CONSTRAINT %I', "name");
END $$;`
}

function changeType ({ alter, type, from, to }: { alter: string, type: string, from: Column, to: Column }): string[] {
  return [
    ...from.default === undefined ? [] : [`${alter} DROP DEFAULT;`],
    `${alter} SET DATA TYPE ${type}${castsByItself(from, to) ? '' : ` USING "${to.name}"${castsDirectly(from, to) ? '' : '::text'}::${type}`};`,
    ...to.default === undefined ? [] : [`${alter} SET DEFAULT ${String(to.default)};`]
  ]
}

/** Besides casts, drizzle-kit forgets defaults like 0 and false when a type changes. */
function isWellDone (from: Column, to: Column): boolean {
  return castsByItself(from, to) && (to.default === undefined || Boolean(to.default))
}

/** Casts that PostgreSQL has, and that do better than the way over text, which any two types have. */
function castsDirectly (from: Column, to: Column): boolean {
  const [a, b] = [from.type, to.type]
  return (a === 'boolean' && b === 'integer') || (a === 'integer' && b === 'boolean') || (a === 'jsonb' && (b === 'boolean' || families[0]!.test(b)))
}

function castsByItself (from: Column, to: Column): boolean {
  return from.type === to.type || families[1]!.test(to.type) || families.some((family) => family.test(from.type) && family.test(to.type))
}

function findTable (snapshot: Snapshot, written: string) {
  return Object.values(snapshot.tables).find(({ schema, name }) => written === (schema === '' ? `"${name}"` : `"${schema}"."${name}"`))
}
