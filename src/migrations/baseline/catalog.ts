import type { Client } from 'pg'
import type { TableName } from '../history/applied-table.js'

/** A column, as the catalog has it. Expressions are PostgreSQL's own text. */
export interface CatalogColumn {
  readonly name: string
  /** The type as `format_type` writes it, with its schema if that is not on the search path. */
  readonly type: string
  /** The name of the type without its schema, parameters and brackets; for an enum also its schema. */
  readonly base: string
  readonly enumSchema: string | null
  readonly isArray: boolean
  readonly isRequired: boolean
  readonly expression: string | null
  readonly isGenerated: boolean
  readonly identity: 'always' | 'byDefault' | null
  /** The options of the identity's sequence that differ from PostgreSQL's. */
  readonly sequence: Readonly<Record<string, string | number | boolean>>
  /** Whether the column and its sequence are as `serial` makes them. */
  readonly isSerial: boolean
}

/** A constraint or an index over columns. */
export interface CatalogKey {
  readonly kind: 'primary' | 'unique' | 'foreign' | 'check' | 'index' | 'uniqueIndex'
  readonly name: string
  readonly columns: readonly string[]
  readonly nullsNotDistinct: boolean
  /** The expression of a check. */
  readonly expression: string | null
  readonly target: { readonly schema: string, readonly table: string, readonly columns: readonly string[], readonly onDelete: string | null, readonly onUpdate: string | null } | null
}

/** A table or a view. */
export interface CatalogTable {
  readonly schema: string
  readonly name: string
  readonly kind: 'table' | 'view' | 'materialized'
  readonly columns: readonly CatalogColumn[]
  readonly keys: readonly CatalogKey[]
  /** `RANGE (at)`, for a partitioned table. */
  readonly partitionKey: string | null
}

/** An enum. */
export interface CatalogEnum {
  readonly schema: string
  readonly name: string
  readonly values: readonly string[]
}

/** What the schema file can describe. */
export interface Catalog {
  readonly tables: readonly CatalogTable[]
  readonly enums: readonly CatalogEnum[]
}

/** Objects of the program: neither of PostgreSQL nor of an extension. */
export const ownObjects = (oid: string, classOf: string, namespace: string): string => `
  ${namespace} !~ '^pg_' and ${namespace} <> 'information_schema'
  and not exists (select from pg_depend where classid = '${classOf}'::regclass and objid = ${oid} and deptype = 'e')`

const largestNumber = "(case a.atttypid when 'int2'::regtype then 32767 when 'int4'::regtype then 2147483647 else 9223372036854775807 end)"

/** Whether sequence `s`, with the options `q`, belongs to column `a` of table `c` as `serial` makes both: a renamed table or a widened column has another. */
export const isOfSerial = `(
  s.relname = c.relname || '_' || a.attname || '_seq' and s.relnamespace = c.relnamespace and q.seqtypid = a.atttypid and a.attnotnull
  and q.seqstart = 1 and q.seqincrement = 1 and q.seqmin = 1 and q.seqmax = ${largestNumber} and q.seqcache = 1 and not q.seqcycle
  and exists (select from pg_attrdef f where f.adrelid = c.oid and f.adnum = a.attnum and pg_get_expr(f.adbin, f.adrelid) = format('nextval(%L::regclass)', s.oid::regclass)))`

const sequenceOptions = `(
  select jsonb_strip_nulls(jsonb_build_object(
    'name', case when s.relname <> c.relname || '_' || a.attname || '_seq' or s.relnamespace <> c.relnamespace then s.relname end,
    'startWith', case when q.seqstart <> case when q.seqincrement > 0 then q.seqmin else q.seqmax end then q.seqstart::text end,
    'increment', case when q.seqincrement <> 1 then q.seqincrement::text end,
    'minValue', case when q.seqmin <> 1 then q.seqmin::text end,
    'maxValue', case when q.seqmax <> ${largestNumber} then q.seqmax::text end,
    'cache', case when q.seqcache <> 1 then q.seqcache end,
    'cycle', case when q.seqcycle then true end))
  from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S' join pg_sequence q on q.seqrelid = s.oid
  where d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid = a.attnum and d.deptype = 'i')`

const columns = `(
  select coalesce(jsonb_agg(jsonb_build_object(
    'name', a.attname,
    'type', format_type(a.atttypid, a.atttypmod),
    'base', coalesce(e.typname, t.typname),
    'enumSchema', case when coalesce(e.typtype, t.typtype) = 'e' and not exists (
      select from pg_depend where classid = 'pg_type'::regclass and objid = coalesce(e.oid, t.oid) and deptype = 'e') then coalesce(en.nspname, tn.nspname) end,
    'isArray', e.oid is not null,
    'isRequired', a.attnotnull,
    'expression', pg_get_expr(d.adbin, d.adrelid),
    'isGenerated', a.attgenerated = 's',
    'identity', case a.attidentity when 'a' then 'always' when 'd' then 'byDefault' end,
    'sequence', coalesce(${sequenceOptions}, '{}'),
    'isSerial', exists (
      select from pg_depend o join pg_class s on s.oid = o.objid and s.relkind = 'S' join pg_sequence q on q.seqrelid = s.oid
      where o.refclassid = 'pg_class'::regclass and o.refobjid = c.oid and o.refobjsubid = a.attnum and o.deptype = 'a' and ${isOfSerial})
  ) order by a.attnum), '[]')
  from pg_attribute a join pg_type t on t.oid = a.atttypid join pg_namespace tn on tn.oid = t.typnamespace
    left join pg_type e on e.oid = t.typelem and t.typcategory = 'A' left join pg_namespace en on en.oid = e.typnamespace
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)`

const names = (list: string, relation: string): string =>
  `(select jsonb_agg(a.attname order by place) from unnest(${list}) with ordinality as u (num, place) join pg_attribute a on a.attrelid = ${relation} and a.attnum = u.num)`

const action = (letter: string): string => `case ${letter} when 'c' then 'cascade' when 'r' then 'restrict' when 'n' then 'set null' when 'd' then 'set default' end`

/** A constraint that Drizzle can declare: no part of it may be lost. */
export const isPlainConstraint = `(
  pg_get_constraintdef(k.oid) !~ ' SET (NULL|DEFAULT) [(]| WITHOUT OVERLAPS[)]|, PERIOD ' and (
    k.contype in ('p', 'u') and not k.condeferrable and not exists (select from pg_index i where i.indexrelid = k.conindid and i.indnatts <> i.indnkeyatts)
    or k.contype = 'f' and not k.condeferrable and k.confmatchtype = 's' and k.convalidated and not exists (select from pg_class where oid = k.confrelid and relispartition)
      and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = k.confrelid and deptype = 'e')
    or k.contype = 'c' and k.convalidated and not k.connoinherit))`

/** An index that Drizzle can declare, by names of columns alone. */
export const isPlainIndex = `(
  i.indexprs is null and i.indpred is null and i.indnatts = i.indnkeyatts and i.indisvalid and ic.reloptions is null
  and (select amname from pg_am where oid = ic.relam) = 'btree'
  and not (i.indisunique and pg_get_indexdef(ic.oid) like '%NULLS NOT DISTINCT%')
  and not exists (select from unnest(i.indoption) as o where o <> 0)
  and not exists (select from unnest(i.indclass) as o join pg_opclass p on p.oid = o where not p.opcdefault)
  and not exists (select from unnest(i.indkey, i.indcollation) as u (num, coll) join pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.num where a.attcollation <> u.coll))`

const keys = `(
  select coalesce(jsonb_agg(one order by one->>'name'), '[]') from (
    select jsonb_build_object(
      'kind', case k.contype when 'p' then 'primary' when 'u' then 'unique' when 'f' then 'foreign' else 'check' end,
      'name', k.conname,
      'columns', coalesce(${names('k.conkey', 'k.conrelid')}, '[]'),
      'nullsNotDistinct', pg_get_constraintdef(k.oid) like 'UNIQUE NULLS NOT DISTINCT%',
      'expression', case when k.contype = 'c' then pg_get_expr(k.conbin, k.conrelid) end,
      'target', case when k.contype = 'f' then (
        select jsonb_build_object('schema', tn.nspname, 'table', tc.relname, 'columns', ${names('k.confkey', 'k.confrelid')},
          'onDelete', ${action('k.confdeltype')}, 'onUpdate', ${action('k.confupdtype')})
        from pg_class tc join pg_namespace tn on tn.oid = tc.relnamespace where tc.oid = k.confrelid) end) as one
    from pg_constraint k where k.conrelid = c.oid and k.conparentid = 0 and ${isPlainConstraint}
    union all
    select jsonb_build_object('kind', case when i.indisunique then 'uniqueIndex' else 'index' end, 'name', ic.relname,
      'columns', ${names('i.indkey::int2[]', 'i.indrelid')}, 'nullsNotDistinct', false, 'expression', null, 'target', null)
    from pg_index i join pg_class ic on ic.oid = i.indexrelid
    where i.indrelid = c.oid and ${isPlainIndex} and not exists (select from pg_constraint k where k.conindid = ic.oid and k.conrelid = c.oid and k.contype <> 'f')
  ) as every (one))`

const tablesQuery = `
  select n.nspname as schema, c.relname as name, case c.relkind when 'v' then 'view' when 'm' then 'materialized' else 'table' end as kind,
    ${columns} as columns, ${keys} as keys, pg_get_partkeydef(c.oid) as "partitionKey"
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition and c.relpersistence = 'p' and ${ownObjects('c.oid', 'pg_class', 'n.nspname')}
    and not (n.nspname = $1 and c.relname = $2)
  order by n.nspname <> 'public', n.nspname, c.relname`

const enumsQuery = `
  select n.nspname as schema, t.typname as name, (select jsonb_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = t.oid) as values
  from pg_type t join pg_namespace n on n.oid = t.typnamespace
  where t.typtype = 'e' and ${ownObjects('t.oid', 'pg_type', 'n.nspname')} order by 1, 2`

/** Reads the tables, views and enums of a database. */
export async function readCatalog (client: Client, { schema, name }: TableName): Promise<Catalog> {
  const tables = await client.query<CatalogTable>(tablesQuery, [schema, name])
  const enums = await client.query<CatalogEnum>(enumsQuery)
  return { tables: tables.rows, enums: enums.rows }
}
