import type { Client } from 'pg'

const system = "nspname not in ('pg_catalog', 'information_schema', 'drizzle') and nspname not like 'pg_toast%'"

const queries = {
  columns: `select nspname, relname, attname, format_type(atttypid, atttypmod) as type, attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid) as "default"
    from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where ${system} and relkind in ('r', 'v', 'm') and attnum > 0 and not attisdropped order by 1, 2, 3`,
  constraints: `select nspname, conrelid::regclass::text as relation, conname, pg_get_constraintdef(k.oid) as definition
    from pg_constraint k join pg_namespace n on n.oid = connamespace where ${system} and contype <> 'n' order by 1, 2, 3`,
  indexes: `select nspname, relname, pg_get_indexdef(c.oid) as definition, indisvalid from pg_index join pg_class c on c.oid = indexrelid
    join pg_namespace n on n.oid = relnamespace where ${system} order by 1, 2`,
  enums: `select nspname, typname, array_agg(enumlabel::text order by enumsortorder) as labels from pg_enum join pg_type t on t.oid = enumtypid
    join pg_namespace n on n.oid = typnamespace where ${system} group by 1, 2 order by 1, 2`,
  sequences: `select nspname, relname, seqtypid::regtype::text as type, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle,
      (select attname from pg_depend join pg_attribute on attrelid = refobjid and attnum = refobjsubid where classid = 'pg_class'::regclass and objid = c.oid and deptype in ('a', 'i')) as column
    from pg_sequence join pg_class c on c.oid = seqrelid join pg_namespace n on n.oid = relnamespace where ${system} order by 1, 2`,
  views: `select nspname, relname, relkind, pg_get_viewdef(c.oid) as definition from pg_class c join pg_namespace n on n.oid = relnamespace where ${system} and relkind in ('v', 'm') order by 1, 2`,
  policies: 'select schemaname, tablename, policyname, permissive, roles::text, cmd, qual, with_check from pg_policies order by 1, 2, 3',
  security: `select nspname, relname, relrowsecurity from pg_class c join pg_namespace n on n.oid = relnamespace where ${system} and relkind = 'r' order by 1, 2`
}

/** The catalogue of a database, as PostgreSQL describes it. The order of columns is left out, because a restored column comes last. */
export async function readCatalogue (client: Client): Promise<Record<string, unknown[]>> {
  const catalogue: Record<string, unknown[]> = {}
  for (const [name, text] of Object.entries(queries)) catalogue[name] = (await client.query(text)).rows
  return catalogue
}
