/** The sequences by which columns count: those of identities, and of `serial`. */
import type { Column, Named, Numbering, Table } from '../snapshots/snapshot.js'
import { catalogueType, numberingOf, quoted, text, typeText, written } from '../snapshots/names.js'

/** A column of a table, before or after. */
export interface Place {
  readonly table: Table
  readonly column: Column
}

/** What stops a column from counting. */
export function stopCounting (place: Place): string[] {
  if (numberingOf(place.column) === 'identity') return [`${alter(place)} DROP IDENTITY;`]
  return [block(['"sequence" text := ' + ownedSequence(place)], dropSerial(place))]
}

/** Makes a column count that did not, from its largest value on. */
export function startCounting (place: Place): string[] {
  const { table, column } = place
  const { increment, startWith } = column.identity ?? { increment: '1', startWith: '1' }
  const [furthest, beyond] = increment.startsWith('-') ? ['min', '<='] : ['max', '>=']
  const name = quoted(column.name)
  return [
    ...numberingOf(column) === 'identity' ? [addIdentity(place)] : addSerial(place),
    `SELECT setval(${ownedSequence(place)}, ${furthest}(${name})) FROM ${written(table)} HAVING ${furthest}(${name}) ${beyond} ${startWith};`
  ]
}

/** What lets a column count on in another way. */
export function changeCounting (from: Place, to: Place): string[] {
  const kinds = [numberingOf(from.column), numberingOf(to.column)].join()
  if (kinds === 'identity,identity') return changeIdentity(from, to)
  if (kinds === 'serial,serial') return from.column.type === to.column.type ? [] : [block(['"sequence" text := ' + ownedSequence(to)], [`EXECUTE format('ALTER SEQUENCE %s AS ${catalogueType(to.column)}', "sequence");`])]
  const [drop, add] = kinds === 'serial,identity' ? [dropSerial(from), [addIdentity(to)]] : [[`${alter(from)} DROP IDENTITY;`], addSerial(to)]
  return [block([`"sequence" text := ${ownedSequence(from)}`, '"last" bigint', '"called" boolean'], [
    'EXECUTE format(\'SELECT "last_value", "is_called" FROM %s\', "sequence") INTO STRICT "last", "called";',
    ...drop,
    ...add,
    `PERFORM setval(${ownedSequence(to)}, "last", "called");`
  ])]
}

/** What changes a sequence. */
export function changeSequence (from: Named & Numbering, to: Named & Numbering): string[] {
  if (options(from) === options(to)) return []
  const change = `ALTER SEQUENCE ${written(to)} ${options(to)}`
  if (bounds(from) === bounds(to)) return [`${change};`]
  return [block(['"last" bigint', '"called" boolean'], [
    `SELECT "last_value", "is_called" INTO STRICT "last", "called" FROM ${written(to)};`,
    `${change} RESTART;`,
    `IF "called" THEN PERFORM setval(${text(written(to))}, "last"); END IF;`
  ])]
}

function changeIdentity (from: Place, to: Place): string[] {
  const [a, b] = [from.column.identity!, to.column.identity!]
  const sets = options(b).replace(/(?<=^| )(INCREMENT|MINVALUE|MAXVALUE|START|CACHE|NO CYCLE|(?<!NO )CYCLE)/g, 'SET $1')
  const change = `${alter(to)} ${sets}`
  return [
    ...a.type === b.type ? [] : [`${alter(to)} SET GENERATED ${kind(b)};`],
    ...options(a) !== options(b) && bounds(a) === bounds(b) ? [`${change};`] : [],
    // A sequence that was not asked yet begins where the new one would.
    ...bounds(a) === bounds(b)
      ? []
      : [block([`"sequence" text := ${ownedSequence(to)}`, '"last" bigint', '"called" boolean'], [
          'EXECUTE format(\'SELECT "last_value", "is_called" FROM %s\', "sequence") INTO STRICT "last", "called";',
          `${change} RESTART;`,
          'IF "called" THEN PERFORM setval("sequence", "last"); END IF;'
        ])]
  ]
}

function addIdentity (place: Place): string {
  const identity = place.column.identity!
  const name = written({ name: identity.name, schema: place.table.schema })
  return `${alter(place)} ADD GENERATED ${kind(identity)} AS IDENTITY (sequence name ${name} ${options(identity).replace(/ NO CYCLE$/, '')});`
}

function addSerial (place: Place): string[] {
  const { table, column } = place
  const sequence = written({ name: serialName(table.name, column.name), schema: table.schema })
  return [
    `CREATE SEQUENCE ${sequence} AS ${typeText(column)} OWNED BY ${written(table)}.${quoted(column.name)};`,
    `${alter(place)} SET DEFAULT nextval(${text(sequence)});`
  ]
}

function dropSerial (place: Place): string[] {
  return [`${alter(place)} DROP DEFAULT;`, 'EXECUTE format(\'DROP SEQUENCE %s\', "sequence");']
}

/** As PostgreSQL names the sequence of a serial: the longer of both names is cut until all fits into 63 bytes. */
function serialName (table: string, column: string): string {
  const parts = [table, column].map((name) => Buffer.from(name))
  while (parts[0]!.length + parts[1]!.length > 58) {
    const longer = parts[0]!.length > parts[1]!.length ? 0 : 1
    parts[longer] = Buffer.from([...parts[longer]!.toString()].slice(0, -1).join(''))
  }
  return `${parts.join('_')}_seq`
}

function kind ({ type }: { type: string }): string {
  return type === 'always' ? 'ALWAYS' : 'BY DEFAULT'
}

function bounds ({ increment, minValue, maxValue, startWith }: Numbering): string {
  return `INCREMENT BY ${increment} MINVALUE ${minValue} MAXVALUE ${maxValue} START WITH ${startWith}`
}

function options (numbering: Numbering): string {
  return `${bounds(numbering)} CACHE ${numbering.cache} ${numbering.cycle ? 'CYCLE' : 'NO CYCLE'}`
}

function ownedSequence ({ table, column }: Place): string {
  return `pg_get_serial_sequence(${text(written(table))}, ${text(column.name)})`
}

function alter ({ table, column }: Place): string {
  return `ALTER TABLE ${written(table)} ALTER COLUMN ${quoted(column.name)}`
}

/** Statements that pass on what they found. */
function block (variables: readonly string[], statements: readonly string[]): string {
  return `DO $$ DECLARE ${variables.map((variable) => `${variable};`).join(' ')} BEGIN\n${statements.map((statement) => `  ${statement}\n`).join('')}END $$;`
}
