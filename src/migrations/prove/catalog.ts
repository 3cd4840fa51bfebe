import { proveSchema } from './analyse-statement.js'
import type { Client } from 'pg'

/** What PostgreSQL's catalogs say of a schema, as far as statements depend on it without naming it. */
export interface Catalog {
  /** The tables and views, by oid. */
  readonly relations: ReadonlyMap<string, Relation>
  /** All types, by oid. */
  readonly types: ReadonlyMap<string, Type>
  /** The signatures of the program's functions, by oid. */
  readonly functions: ReadonlyMap<string, { readonly name: string }>
}

/** A table or view. */
export interface Relation {
  readonly oid: string
  /** With its schema, unless that is on the search path. */
  readonly name: string
  /** By number. */
  readonly columns: ReadonlyMap<number, Column>
  readonly rules: readonly Rule[]
  /** The sources of the functions that may change a new row before it is written. */
  readonly triggers: readonly string[]
  /** Whether policies hold for all who do not own the table. */
  readonly hasRowSecurity: boolean
  /** Whether they hold for its owner, too. */
  readonly forcesRowSecurity: boolean
}

/** A column of a table. */
export interface Column {
  readonly name: string
  readonly type: TypeUse
  readonly isRequired: boolean
  /** Whether PostgreSQL fills it: by a default, as an identity, or as a generated column. */
  readonly isFilled: boolean
}

/** A type with its modifiers: `character varying(50)`. */
export interface TypeUse {
  readonly oid: string
  readonly text: string
}

/** A constraint, or a unique index. */
export interface Rule {
  readonly oid: string
  readonly name: string
  /** PostgreSQL's letter: c for CHECK, f for a foreign key, u for unique, x for EXCLUDE. */
  readonly kind: 'c' | 'f' | 'u' | 'x'
  readonly definition: string
  /** The condition of a CHECK. */
  readonly expression: string | null
  readonly columns: readonly number[]
}

/** A type. */
export interface Type {
  readonly name: string
  /** PostgreSQL's letter: b, e for an enum, d for a domain. */
  readonly kind: string
  readonly category: string
  /** The labels of an enum. */
  readonly labels: readonly string[]
  /** The conditions of a domain; NOT NULL is one. */
  readonly conditions: readonly string[]
  /** The type behind a domain, or that of the elements of an array. */
  readonly base: TypeUse | null
}

/** The schemas that no program's statements change. */
const foreign = `('pg_catalog', 'information_schema', 'pg_toast', '${proveSchema}')`

const relationsQuery = `
select c.oid::text as oid, c.oid::regclass::text as name, c.relrowsecurity as "hasRowSecurity", c.relforcerowsecurity as "forcesRowSecurity",
  array(
    select json_build_object(
      'number', a.attnum, 'name', a.attname, 'type', json_build_object('oid', a.atttypid::text, 'text', format_type(a.atttypid, a.atttypmod)),
      'isRequired', a.attnotnull, 'isFilled', a.atthasdef or a.attidentity <> '' or t.typdefault is not null
    ) from pg_attribute a join pg_type t on t.oid = a.atttypid where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum
  ) as columns,
  array(
    select json_build_object(
      'oid', r.oid::text, 'name', r.conname, 'kind', r.contype, 'definition', regexp_replace(pg_get_constraintdef(r.oid), ' NOT VALID$', ''),
      'expression', pg_get_expr(r.conbin, r.conrelid), 'columns', coalesce(r.conkey, '{}')
    ) from pg_constraint r where r.conrelid = c.oid and r.contype in ('c', 'f', 'x') order by r.conname
  ) || array(
    select json_build_object(
      'oid', i.indexrelid::text, 'name', n.relname, 'kind', 'u', 'definition', regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING ', 'UNIQUE USING '),
      'expression', null, 'columns', i.indkey::int2[]
    ) from pg_index i join pg_class n on n.oid = i.indexrelid where i.indrelid = c.oid and i.indisunique order by n.relname
  ) as rules,
  array(
    select f.prosrc from pg_trigger g join pg_proc f on f.oid = g.tgfoid where g.tgrelid = c.oid and not g.tgisinternal and g.tgenabled <> 'D' and g.tgtype & 7 = 7
  ) as triggers
from pg_class c join pg_namespace s on s.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f', 'v', 'm') and s.nspname not in ${foreign}`

const typesQuery = `
select t.oid::text as oid, format_type(t.oid, null) as name, t.typtype as kind, t.typcategory as category,
  array(select enumlabel::text from pg_enum where enumtypid = t.oid order by enumsortorder) as labels,
  array(select pg_get_constraintdef(r.oid) from pg_constraint r where r.contypid = t.oid and r.contype = 'c' order by 1)
    || case when t.typnotnull then array['NOT NULL'] else '{}' end as conditions,
  case
    when t.typbasetype <> 0 then json_build_object('oid', t.typbasetype::text, 'text', format_type(t.typbasetype, t.typtypmod))
    when t.typcategory = 'A' then json_build_object('oid', t.typelem::text, 'text', format_type(t.typelem, null))
  end as base
from pg_type t`

const functionsQuery = `
select p.oid::text as oid, p.oid::regprocedure::text as name from pg_proc p join pg_namespace s on s.oid = p.pronamespace where s.nspname not in ${foreign}`

/** Reads the catalogs of a database. */
export async function readCatalog (client: Client): Promise<Catalog> {
  const { rows: relations } = await client.query<Omit<Relation, 'columns'> & { columns: ReadonlyArray<Column & { number: number }> }>(relationsQuery)
  const { rows: types } = await client.query<Type & { oid: string }>(typesQuery)
  const { rows: functions } = await client.query<{ oid: string, name: string }>(functionsQuery)
  return {
    relations: new Map(relations.map((relation) => [relation.oid, { ...relation, columns: new Map(relation.columns.map((column) => [column.number, column])) }])),
    types: new Map(types.map((type) => [type.oid, type])),
    functions: new Map(functions.map(({ oid, name }) => [oid, { name }]))
  }
}
