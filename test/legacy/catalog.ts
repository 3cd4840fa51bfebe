import pg from 'pg'

/** What pg_dump would tell of a database, without the table of applied migrations: its structure, and its rows. */
export async function catalogOf (connectionString: string): Promise<{ structure: unknown, rows: unknown }> {
  const client = new pg.Client(connectionString)
  await client.connect()
  try {
    await client.query("set search_path = ''")
    const structure: Record<string, unknown> = {}
    for (const [name, text] of Object.entries(queries)) structure[name] = (await client.query({ text, rowMode: 'array' })).rows.map((row) => row.join(' | ')).sort()
    const { rows: tables } = await client.query<{ name: string }>(`select c.oid::regclass::text as name from pg_class c where ${own} and relkind in ('r', 'm') and relispopulated order by 1`)
    const rows: Record<string, unknown> = {}
    for (const { name } of tables) rows[name] = (await client.query({ text: `select ctid, xmin, one::text from ${name} as one order by ctid`, rowMode: 'array' })).rows
    return { structure, rows }
  } finally {
    await client.end()
  }
}

const own = "relnamespace::regnamespace::text !~ '^(pg_|information_schema|drizzle$)'"

const queries: Readonly<Record<string, string>> = {
  schemas: "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'drizzle' order by 1",
  extensions: 'select extname, extnamespace::regnamespace from pg_extension order by 1',
  relations: `select c.oid::regclass, relkind, relpersistence, relispartition, reloptions, pg_get_partkeydef(c.oid), pg_get_expr(relpartbound, c.oid), obj_description(c.oid, 'pg_class')
    from pg_class c where ${own} order by c.oid::regclass::text`,
  columns: `select c.oid::regclass, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid), col_description(c.oid, attnum)
    from pg_class c join pg_attribute a on a.attrelid = c.oid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = attnum
    where ${own} and attnum > 0 and not attisdropped and relkind <> 'i' order by c.oid::regclass::text, attnum`,
  constraints: `select conrelid::regclass, contype, conname, pg_get_constraintdef(k.oid) from pg_constraint k join pg_class c on c.oid = conrelid where conparentid = 0 and ${own} order by 1, 3`,
  indexes: `select pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = indrelid where ${own} order by 1`,
  sequences: `select c.oid::regclass, (select pg_describe_object(refclassid, refobjid, refobjsubid) from pg_depend d where d.objid = c.oid and deptype in ('a', 'i')), seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle from pg_sequence join pg_class c on c.oid = seqrelid where ${own} order by 1`,
  views: `select c.oid::regclass, pg_get_viewdef(c.oid) from pg_class c where relkind in ('v', 'm') and ${own} order by 1`,
  triggers: `select pg_get_triggerdef(g.oid) from pg_trigger g join pg_class c on c.oid = tgrelid where ${own} and not tgisinternal order by 1`,
  functions: "select pg_get_functiondef(p.oid) from pg_proc p where pronamespace::regnamespace::text in ('public', 'legacy') and prokind = 'f' and not exists (select from pg_depend where objid = p.oid and deptype = 'e') order by 1",
  enums: 'select enumtypid::regtype, enumlabel from pg_enum order by 1, enumsortorder',
  domains: "select t.oid::regtype, format_type(typbasetype, typtypmod), typnotnull, typdefault, (select string_agg(pg_get_constraintdef(k.oid), ' ') from pg_constraint k where contypid = t.oid) from pg_type t where typtype = 'd' and typnamespace::regnamespace::text !~ '^(pg_|information_schema)' order by 1"
}
