import { isOfSerial, isPlainConstraint, isPlainIndex, ownObjects } from './catalog.js'
import type { Client } from 'pg'
import type { TableName } from '../history/applied-table.js'

/** An object that a schema file of Drizzle cannot describe. */
export interface KeptObject {
  /** `trigger`, `function`, … */
  readonly kind: string
  /** Its name, with the table that it belongs to. */
  readonly name: string
  readonly place: KeptPlace
  /** The statement that creates it, for the first migration; undefined if the object is only reported. */
  readonly sql: string | undefined
}

/** Where a statement stands in the first migration: before the tables, or after them. An object that is reported has none. */
export type KeptPlace = 'before' | 'after' | 'reported'

/** Functions that defaults and checks of tables call, or all others, which may name tables themselves. */
const functions = (isCalledByTables: boolean): string => `
  select p.oid::regprocedure::text as name, pg_get_functiondef(p.oid) as sql from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where p.prokind in ('f', 'p') and ${ownObjects('p.oid', 'pg_proc', 'n.nspname')}
    and ${isCalledByTables ? '' : 'not '}exists (select from pg_depend d where d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid and d.classid in ('pg_attrdef'::regclass, 'pg_constraint'::regclass))
  order by p.oid`

/** Sequences `s`, with their options `q`, their schema `n`, and the column `a` of table `c` that one belongs to, if any. */
const sequences = `
    from pg_class s join pg_namespace n on n.oid = s.relnamespace join pg_sequence q on q.seqrelid = s.oid
      left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
      left join pg_class c on c.oid = d.refobjid left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
    where ${ownObjects('s.oid', 'pg_class', 'n.nspname')}`

/** The kinds in the order of their statements. $1 is the schema of the table of applied migrations, which they create themselves. */
const queries: ReadonlyArray<readonly [place: KeptPlace, kind: string, sql: string]> = [
  ['before', 'extension', `
    select e.extname as name, format('CREATE EXTENSION IF NOT EXISTS %I%s', e.extname, case when n.nspname not in ('public', 'pg_catalog') then format(' SCHEMA %I', n.nspname) else '' end) as sql
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname <> 'plpgsql' order by 1`],
  ['before', 'schema', `
    select n.nspname as name, format('CREATE SCHEMA IF NOT EXISTS %I', n.nspname) as sql from pg_namespace n
    where n.nspname not in ('public', $1) and ${ownObjects('n.oid', 'pg_namespace', 'n.nspname')} order by 1`],
  ['before', 'domain', `
    select format('%I.%I', n.nspname, t.typname) as name, format('CREATE DOMAIN %I.%I AS %s%s%s%s', n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod),
      coalesce(' DEFAULT ' || t.typdefault, ''), case when t.typnotnull then ' NOT NULL' else '' end,
      coalesce((select string_agg(format(' CONSTRAINT %I %s', conname, pg_get_constraintdef(k.oid)), '' order by conname) from pg_constraint k where k.contypid = t.oid and k.contype = 'c'), '')) as sql
    from pg_type t join pg_namespace n on n.oid = t.typnamespace where t.typtype = 'd' and ${ownObjects('t.oid', 'pg_type', 'n.nspname')} order by t.oid`],
  ['before', 'sequence', `
    select format('%I.%I', n.nspname, s.relname) as name, format('CREATE SEQUENCE %I.%I AS %s INCREMENT %s MINVALUE %s MAXVALUE %s START %s CACHE %s%s', n.nspname, s.relname,
      format_type(q.seqtypid, null), q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache, case when q.seqcycle then ' CYCLE' else '' end) as sql
    ${sequences} and (d.deptype is null or d.deptype = 'a' and not ${isOfSerial}) order by 1`],
  ['before', 'function', functions(true)],
  ['after', 'partition', `
    select format('%I.%I', n.nspname, c.relname) as name, format('CREATE TABLE %I.%I PARTITION OF %I.%I %s%s', n.nspname, c.relname, pn.nspname, p.relname,
      pg_get_expr(c.relpartbound, c.oid), coalesce(' PARTITION BY ' || pg_get_partkeydef(c.oid), '')) as sql
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_inherits i on i.inhrelid = c.oid join pg_class p on p.oid = i.inhparent join pg_namespace pn on pn.oid = p.relnamespace
    where c.relispartition and c.relkind in ('r', 'p') and ${ownObjects('c.oid', 'pg_class', 'n.nspname')} order by c.oid`],
  ['after', 'owner of sequence', `
    select format('%I.%I', n.nspname, s.relname) as name, format('ALTER SEQUENCE %I.%I OWNED BY %s.%I', n.nspname, s.relname, c.oid::regclass, a.attname) as sql
    ${sequences} and d.deptype = 'a' and not ${isOfSerial} and c.relpersistence = 'p' and c.relkind in ('r', 'p') order by 1`],
  ['after', 'function', functions(false)],
  ['after', 'constraint', `
    select format('%s of %s', k.conname, c.oid::regclass) as name, format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.oid::regclass, k.conname, pg_get_constraintdef(k.oid)) as sql
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where k.contype in ('p', 'u', 'f', 'c', 'x') and not ${isPlainConstraint} and k.conparentid = 0 and ${ownObjects('c.oid', 'pg_class', 'n.nspname')} order by k.contype <> 'p', k.oid`],
  ['after', 'index', `
    select format('%s of %s', ic.relname, c.oid::regclass) as name, pg_get_indexdef(ic.oid) as sql
    from pg_index i join pg_class ic on ic.oid = i.indexrelid join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and not ic.relispartition and ${ownObjects('c.oid', 'pg_class', 'n.nspname')}
      and not exists (select from pg_constraint k where k.conindid = ic.oid and k.conrelid = c.oid and k.contype <> 'f')
      and not ${isPlainIndex} order by ic.oid`],
  ['after', 'view', `
    select c.oid::regclass::text as name, format('CREATE %sVIEW %s%s AS %s%s', case when c.relkind = 'm' then 'MATERIALIZED ' else '' end, c.oid::regclass,
      coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', ''), rtrim(pg_get_viewdef(c.oid), ';'), case when c.relkind = 'm' and not c.relispopulated then ' WITH NO DATA' else '' end) as sql
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('v', 'm') and ${ownObjects('c.oid', 'pg_class', 'n.nspname')} order by c.oid`],
  ['after', 'index', `
    select format('%s of %s', ic.relname, c.oid::regclass) as name, pg_get_indexdef(ic.oid) as sql
    from pg_index i join pg_class ic on ic.oid = i.indexrelid join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'm' and ${ownObjects('c.oid', 'pg_class', 'n.nspname')} order by ic.oid`],
  ['after', 'rule', `
    select format('%s of %s', r.rulename, c.oid::regclass) as name, rtrim(pg_get_ruledef(r.oid), ';') as sql from pg_rewrite r join pg_class c on c.oid = r.ev_class
      join pg_namespace n on n.oid = c.relnamespace
    where r.rulename <> '_RETURN' and ${ownObjects('c.oid', 'pg_class', 'n.nspname')} order by r.oid`],
  ['after', 'trigger', `
    select format('%s of %s', g.tgname, c.oid::regclass) as name, pg_get_triggerdef(g.oid) as sql from pg_trigger g join pg_class c on c.oid = g.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where not g.tgisinternal and g.tgparentid = 0 and ${ownObjects('c.oid', 'pg_class', 'n.nspname')} order by g.oid`],
  ['after', 'comment', `
    select format('of %s', c.oid::regclass) as name, format('COMMENT ON %s %s IS %L', case c.relkind when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW' else 'TABLE' end, c.oid::regclass, d.description) as sql
    from pg_description d join pg_class c on d.classoid = 'pg_class'::regclass and c.oid = d.objoid and d.objsubid = 0 join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm') and ${ownObjects('c.oid', 'pg_class', 'n.nspname')}
    union all
    select format('of %I of %s', a.attname, c.oid::regclass), format('COMMENT ON COLUMN %s.%I IS %L', c.oid::regclass, a.attname, d.description)
    from pg_description d join pg_class c on d.classoid = 'pg_class'::regclass and c.oid = d.objoid join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and a.attnum > 0
      join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm') and ${ownObjects('c.oid', 'pg_class', 'n.nspname')} order by 1`],
  ['reported', 'type', `
    select format('%I.%I', n.nspname, t.typname) as name from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
    where (t.typtype in ('r', 'b') and t.typelem = 0 or t.typtype = 'c' and c.relkind = 'c') and ${ownObjects('t.oid', 'pg_type', 'n.nspname')} order by 1`],
  ['reported', 'aggregate', `
    select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.prokind in ('a', 'w') and ${ownObjects('p.oid', 'pg_proc', 'n.nspname')} order by 1`],
  ['reported', 'policy', `
    select format('%s of %s', p.polname, c.oid::regclass) as name from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
    where ${ownObjects('c.oid', 'pg_class', 'n.nspname')} order by 1`],
  ['reported', 'foreign or unlogged table', `
    select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where (c.relkind = 'f' or c.relkind = 'r' and c.relpersistence = 'u') and ${ownObjects('c.oid', 'pg_class', 'n.nspname')} order by 1`],
  ['reported', 'inheritance of table', `
    select c.oid::regclass::text as name from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and not c.relispartition and ${ownObjects('c.oid', 'pg_class', 'n.nspname')} order by 1`],
  ['reported', 'event trigger', 'select evtname as name from pg_event_trigger order by 1']
]

/** The objects of a database that Drizzle cannot describe, in the order in which they can be created. */
export async function readKeptObjects (client: Client, { schema }: TableName): Promise<KeptObject[]> {
  const found: KeptObject[] = []
  for (const [place, kind, text] of queries) {
    const { rows } = await client.query<{ name: string, sql?: string }>(text, text.includes('$1') ? [schema] : [])
    found.push(...rows.map(({ name, sql }) => ({ kind, name, place, sql })))
  }
  return found
}
