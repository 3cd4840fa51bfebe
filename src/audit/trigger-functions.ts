/**
 * The functions of an audit in PL/pgSQL.
 *
 * Each value is kept as PostgreSQL's own text, under settings that the functions fix, because JSON would lose digits, bytes and the
 * spelling of json. The trigger function reads the columns of the table from the catalogue each time, so a column that is added
 * later is recorded without a change of the function.
 */
import { escapeIdentifier } from 'pg'
import { dollarQuoted, literal, textArray } from './sql-names.js'
import type { AuditIdentity, SqlName } from './sql-names.js'

/** An audit with the names of the database. */
export interface AuditNames extends AuditIdentity {
  readonly key: readonly string[]
  readonly mask: readonly string[]
  readonly ignore: readonly string[]
  readonly tenant: string | undefined
  readonly settings: { readonly actor: string, readonly requestId: string, readonly reason: string }
}

/** The settings under which values become texts: those that the package reads, and one time zone for all entries. */
const exactText = `set search_path = pg_catalog, pg_temp
set datestyle = 'ISO, MDY' set intervalstyle = 'postgres' set timezone = 'UTC' set extra_float_digits = 1 set bytea_output = 'hex'`

/** Stands for the schema of the history, and for the table, until PostgreSQL has found where they are: see `createAudit()`. */
export const historySchema = '@schema@'
export const auditedTable = '@table@'

/** The trigger function. */
export function recordFunction (history: SqlName): SqlName {
  return { schema: history.schema, name: `${history.name}_record` }
}

/** The function that writes a primary key as the history has it. */
export function keyFunction (history: SqlName): SqlName {
  return { schema: history.schema, name: `${history.name}_key` }
}

/**
 * CREATE FUNCTION of the trigger function, with {@link historySchema} in place of the schema. It runs as its owner, who owns the history table, so a role needs no right on that
 * table. With `row_security` off, a TRUNCATE of rows that policies hide from the owner fails instead of leaving them out.
 */
export function createRecordFunction (names: AuditNames): string {
  const { history, key, mask, ignore, tenant, settings } = names
  const setting = (name: string): string => `nullif(current_setting(${literal(name)}, true), '')`
  return `create function ${historySchema}.${escapeIdentifier(recordFunction(history).name)}() returns trigger language plpgsql security definer
set row_security = off
${exactText}
as ${dollarQuoted(`
declare
  mask constant text[] := ${textArray(mask)};
  ignored constant text[] := ${textArray(ignore)};
  key_columns constant text[] := ${textArray(key)};
  tenant_column constant text := ${tenant === undefined ? 'null' : literal(tenant)};
  names text[];
  former_row text;
  new_row text;
  kind text;
  kinds text[];
  former text[];
  latter text[];
begin
  -- OLD and NEW are $1 and $2 of the statement below.
  select array_agg(attname::text order by attnum),
    string_agg(format('case num_nulls((%2$s).%1$I) when 0 then format(''%%s'', (%2$s).%1$I) end', attname,
      case TG_OP when 'TRUNCATE' then 'truncated' else '$1' end), ', ' order by attnum),
    string_agg(format('case num_nulls(($2).%1$I) when 0 then format(''%%s'', ($2).%1$I) end', attname), ', ' order by attnum)
  into names, former_row, new_row
  from pg_attribute where attrelid = TG_RELID and attnum > 0 and not attisdropped and attgenerated <> 'v';

  for kind, former, latter in execute case TG_OP
    when 'INSERT' then format('select ''insert'', null::text[], array[%s]', new_row)
    when 'UPDATE' then format('select ''update'', array[%s], array[%s]', former_row, new_row)
    when 'DELETE' then format('select ''delete'', array[%s], null::text[]', former_row)
    -- A partition with a trigger of its own records its rows.
    else format('select ''truncate'', array[%s], null::text[] from %s as truncated where tableoid = %s or tableoid not in (
      select tgrelid from pg_trigger where tgfoid = (select tgfoid from pg_trigger where tgrelid = %s and tgname = %L) and tgtype & 32 <> 0)',
      former_row, TG_RELID::regclass, TG_RELID, TG_RELID, TG_NAME)
  end using OLD, NEW loop
    kinds := array[kind];
    if kind = 'update' then
      if not exists (select from unnest(names, former, latter) as c (name, was, became) where was is distinct from became and name <> all (ignored)) then
        continue;
      end if;
      -- As PostgreSQL itself moves a row between partitions.
      if exists (select from unnest(names, former, latter) as c (name, was, became)
        where was is distinct from became and (name = any (key_columns) or name = tenant_column)) then
        kinds := array['delete', 'insert'];
      end if;
    end if;
    foreach kind in array kinds loop
      insert into ${historySchema}.${escapeIdentifier(history.name)}
        (at, operation, key, changed, before, after, actor, request_id, reason, database_user, transaction_id, tenant)
      select clock_timestamp(), kind,
        jsonb_object_agg(name, value) filter (where name = any (key_columns)),
        coalesce(jsonb_agg(name order by place) filter (where kind = 'update' and is_shown), '[]'),
        case when kind <> 'insert' then coalesce(jsonb_object_agg(name, was) filter (where is_shown and name <> all (mask)), '{}') end,
        case when kind in ('insert', 'update') then
          coalesce(jsonb_object_agg(name, became) filter (where is_shown and name <> all (mask)), '{}')
        end,
        ${setting(settings.actor)}, ${setting(settings.requestId)}, ${setting(settings.reason)},
        coalesce(nullif(current_setting('role'), 'none'), session_user), pg_current_xact_id()::text,
        max(value) filter (where name = tenant_column)
      from (
        select name, was, became, place, kind <> 'update' or was is distinct from became as is_shown,
          case when kind in ('insert', 'update') then became else was end as value
        from unnest(names, former, latter) with ordinality as c (name, was, became, place)
      ) as c;
    end loop;
  end loop;
  return null;
end
`)}`
}

/** CREATE FUNCTION of the function that writes a key: from the texts of its columns, in their order, as the trigger does. */
export function createKeyFunction ({ history, key }: AuditNames): string {
  const parts = key.map((_, place) => `part_${place + 1}`)
  return `create function ${historySchema}.${escapeIdentifier(keyFunction(history).name)}(variadic texts text[]) returns jsonb language plpgsql stable
${exactText}
as ${dollarQuoted(`
declare
  ${parts.map((part, place) => `${part} ${auditedTable}.${escapeIdentifier(key[place] as string)}%type := texts[${place + 1}];`).join('\n  ')}
begin
  return jsonb_object(${textArray(key)}, array[${parts.map((part) => `format('%s', ${part})`).join(', ')}]);
end
`)}`
}
