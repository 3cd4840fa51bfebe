/** The sequences by which columns count: those of identities, and of `serial`. */
import type { Column, Named, SequenceOptions, Table } from '../snapshots/snapshot.js'
import { catalogueType, sequenceKindOf, quotedIdentifier, quotedText, typeText, quotedName } from '../snapshots/names.js'

/** A column of a table, before or after. */
export interface TableColumn {
  readonly table: Table
  readonly column: Column
}

/** What stops a column from counting. */
export function dropColumnSequence (place: TableColumn): string[] {
  if (sequenceKindOf(place.column) === 'identity') return [`${alter(place)} DROP IDENTITY;`]
  return [block(['"sequence" text := ' + ownedSequence(place)], dropSerial(place))]
}

/** Makes a column count that did not, from its largest value on. */
export function addColumnSequence (place: TableColumn): string[] {
  const { table, column } = place
  const { increment, startWith } = column.identity ?? { increment: '1', startWith: '1' }
  const [furthest, beyond] = increment.startsWith('-') ? ['min', '<='] : ['max', '>=']
  const name = quotedIdentifier(column.name)
  return [
    ...sequenceKindOf(column) === 'identity' ? [addIdentity(place)] : addSerial(place),
    `SELECT setval(${ownedSequence(place)}, ${furthest}(${name})) FROM ${quotedName(table)} HAVING ${furthest}(${name}) ${beyond} ${startWith};`
  ]
}

/** What lets a column count on in another way. */
export function alterColumnSequence (from: TableColumn, to: TableColumn): string[] {
  const kinds = [sequenceKindOf(from.column), sequenceKindOf(to.column)].join()
  if (kinds === 'identity,identity') return alterIdentity(from, to)
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
export function alterSequence (from: Named & SequenceOptions, to: Named & SequenceOptions): string[] {
  if (options(from) === options(to)) return []
  const change = `ALTER SEQUENCE ${quotedName(to)} ${options(to)}`
  if (bounds(from) === bounds(to)) return [`${change};`]
  return [block(['"last" bigint', '"called" boolean'], [
    `SELECT "last_value", "is_called" INTO STRICT "last", "called" FROM ${quotedName(to)};`,
    `${change} RESTART;`,
    `IF "called" THEN PERFORM setval(${quotedText(quotedName(to))}, "last"); END IF;`
  ])]
}

function alterIdentity (from: TableColumn, to: TableColumn): string[] {
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

function addIdentity (place: TableColumn): string {
  const identity = place.column.identity!
  const name = quotedName({ name: identity.name, schema: place.table.schema })
  return `${alter(place)} ADD GENERATED ${kind(identity)} AS IDENTITY (sequence name ${name} ${options(identity).replace(/ NO CYCLE$/, '')});`
}

function addSerial (place: TableColumn): string[] {
  const { table, column } = place
  const sequence = quotedName({ name: serialName(table.name, column.name), schema: table.schema })
  return [
    `CREATE SEQUENCE ${sequence} AS ${typeText(column)} OWNED BY ${quotedName(table)}.${quotedIdentifier(column.name)};`,
    `${alter(place)} SET DEFAULT nextval(${quotedText(sequence)});`
  ]
}

function dropSerial (place: TableColumn): string[] {
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

function bounds ({ increment, minValue, maxValue, startWith }: SequenceOptions): string {
  return `INCREMENT BY ${increment} MINVALUE ${minValue} MAXVALUE ${maxValue} START WITH ${startWith}`
}

function options (numbering: SequenceOptions): string {
  return `${bounds(numbering)} CACHE ${numbering.cache} ${numbering.cycle ? 'CYCLE' : 'NO CYCLE'}`
}

function ownedSequence ({ table, column }: TableColumn): string {
  return `pg_get_serial_sequence(${quotedText(quotedName(table))}, ${quotedText(column.name)})`
}

function alter ({ table, column }: TableColumn): string {
  return `ALTER TABLE ${quotedName(table)} ALTER COLUMN ${quotedIdentifier(column.name)}`
}

/** Statements that pass on what they found. */
function block (variables: readonly string[], statements: readonly string[]): string {
  return `DO $$ DECLARE ${variables.map((variable) => `${variable};`).join(' ')} BEGIN\n${statements.map((statement) => `  ${statement}\n`).join('')}END $$;`
}
