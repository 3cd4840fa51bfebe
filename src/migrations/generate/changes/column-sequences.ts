/** Adds, alters and drops the sequences of identity and serial columns. */
import type { Column, Named, SequenceOptions, Table } from '../snapshots/snapshot.js'
import { catalogueType, sequenceKindOf, quotedIdentifier, quotedText, typeText, quotedName } from '../snapshots/names.js'

/** A column and its table. */
export interface TableColumn {
  readonly table: Table
  readonly column: Column
}

/** Makes an identity or serial column a plain one. */
export function dropColumnSequence (place: TableColumn): string[] {
  if (sequenceKindOf(place.column) === 'identity') return [`${alter(place)} DROP IDENTITY;`]
  return [block(['"sequence" text := ' + ownedSequence(place)], dropSerial(place))]
}

/** Makes a plain column an identity or serial one, which continues from its largest value. */
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

/** Changes the kind or the options of a column's sequence. The sequence keeps its position. */
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

/** Changes the options of a sequence. It keeps its position. */
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
    // An unused sequence restarts at its new beginning.
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

/** The name that PostgreSQL gives the sequence of a serial column. The longer of both names is cut until the result fits into 63 bytes. */
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

function options (sequence: SequenceOptions): string {
  return `${bounds(sequence)} CACHE ${sequence.cache} ${sequence.cycle ? 'CYCLE' : 'NO CYCLE'}`
}

function ownedSequence ({ table, column }: TableColumn): string {
  return `pg_get_serial_sequence(${quotedText(quotedName(table))}, ${quotedText(column.name)})`
}

function alter ({ table, column }: TableColumn): string {
  return `ALTER TABLE ${quotedName(table)} ALTER COLUMN ${quotedIdentifier(column.name)}`
}

/** An anonymous block whose statements share variables. */
function block (variables: readonly string[], statements: readonly string[]): string {
  return `DO $$ DECLARE ${variables.map((variable) => `${variable};`).join(' ')} BEGIN\n${statements.map((statement) => `  ${statement}\n`).join('')}END $$;`
}
