import { columnSource } from './column-source.js'
import { Identifiers, quoted, reservedWords, sqlTemplate } from './names.js'
import type { Catalog, CatalogKey, CatalogTable } from './catalog.js'
import type { Vocabulary } from './column-source.js'

interface NamedTable {
  readonly table: CatalogTable
  readonly constant: string
  /** The keys of the columns, by their names. */
  readonly keys: ReadonlyMap<string, string>
}

const functions = [
  ...reservedWords, 'sql', 'table',
  'pgTable', 'pgSchema', 'pgEnum', 'pgView', 'pgMaterializedView', 'customType', 'primaryKey', 'foreignKey', 'unique', 'uniqueIndex', 'index', 'check', 'smallint',
  'integer', 'bigint', 'real', 'doublePrecision', 'boolean', 'text', 'uuid', 'json', 'jsonb', 'inet', 'cidr', 'macaddr', 'macaddr8', 'smallserial', 'serial', 'bigserial',
  'numeric', 'varchar', 'char', 'date', 'timestamp'
]

/**
 * A module with the tables, views and enums of a database, as Drizzle declares them. Every name is the database's; times and
 * numbers are read to the last digit. Views are declared as existing: their SQL stays in the database.
 */
export function schemaSource ({ tables, enums }: Catalog): string {
  const identifiers = new Identifiers(functions)
  const used = new Set<string>()
  const customs = new Map<string, string>()
  const schemas = new Map<string, string>()
  const use = (name: string): string => {
    used.add(name)
    return name
  }
  const declare = (schema: string, inPublic: string, inSchema: string): string => {
    if (schema === 'public') return use(inPublic)
    if (!schemas.has(schema)) schemas.set(schema, identifiers.of(schema))
    return `${schemas.get(schema) as string}.${inSchema}`
  }
  let usesSql = false
  const enumNames = new Map(enums.map(({ schema, name }) => [`${schema}.${name}`, identifiers.of(name)]))
  const words: Vocabulary = {
    use,
    sql: (text) => {
      usesSql = true
      return sqlTemplate(text)
    },
    custom: (type) => {
      if (!customs.has(type)) customs.set(type, identifiers.of(type))
      return customs.get(type) as string
    },
    enumOf: (schema, name) => enumNames.get(`${schema}.${name}`) as string
  }
  const named = tables.map((table): NamedTable => {
    const keys = new Identifiers()
    return { table, constant: identifiers.of(table.name), keys: new Map(table.columns.map(({ name }) => [name, keys.of(name)])) }
  })
  const enumLines = enums.map(({ schema, name, values }) =>
    `export const ${enumNames.get(`${schema}.${name}`) as string} = ${declare(schema, 'pgEnum', 'enum')}(${quoted(name)}, [${values.map(quoted).join(', ')}])`)
  const tableTexts = named.map((one) => one.table.kind === 'table' ? tableText(one, { named, words, declare }) : viewText(one, { named, words, declare }))
  const schemaLines = [...schemas].map(([name, constant]) => `export const ${constant} = ${use('pgSchema')}(${quoted(name)})`)
  const customLines = [...customs].map(([type, constant]) => `const ${constant} = ${use('customType')}<{ data: string }>({ dataType: () => ${quoted(type)} })`)
  const imports = [...usesSql ? ["import { sql } from 'drizzle-orm'"] : [], importText([...used].sort(), 'drizzle-orm/pg-core')]
  return `${[imports.join('\n'), schemaLines.join('\n'), customLines.join('\n'), enumLines.join('\n'), ...tableTexts].filter((part) => part !== '').join('\n\n')}\n`
}

/** The longest line of an import. */
const longestLine = 160

/** Imports names in one line, or in as many as are needed. */
function importText (names: readonly string[], from: string): string {
  const single = `import { ${names.join(', ')} } from '${from}'`
  if (single.length <= longestLine) return single
  const [first = '', ...others] = names
  const lines = others.reduce(({ done, line }, name) => {
    const longer = `${line}, ${name}`
    return longer.length < longestLine ? { done, line: longer } : { done: [...done, `${line},`], line: `  ${name}` }
  }, { done: [] as readonly string[], line: `  ${first}` })
  return `import {\n${[...lines.done, lines.line].join('\n')}\n} from '${from}'`
}

interface Around {
  readonly named: readonly NamedTable[]
  readonly words: Vocabulary
  readonly declare: (schema: string, inPublic: string, inSchema: string) => string
}

function tableText (one: NamedTable, around: Around): string {
  const { table, constant } = one
  const extras = table.keys.filter(({ kind, columns }) => kind !== 'primary' || columns.length > 1).map((key) => extraText(key, one, around))
  const more = extras.length === 0 ? '' : `, (table) => [\n${extras.map((line) => `  ${line}`).join(',\n')}\n]`
  return `export const ${constant} = ${around.declare(table.schema, 'pgTable', 'table')}(${quoted(table.name)}, {\n${columnLines(one, around)}\n}${more})`
}

function viewText (one: NamedTable, around: Around): string {
  const { table: { schema, name, kind }, constant } = one
  const call = kind === 'view' ? around.declare(schema, 'pgView', 'view') : around.declare(schema, 'pgMaterializedView', 'materializedView')
  return `export const ${constant} = ${call}(${quoted(name)}, {\n${columnLines(one, around)}\n}).existing()`
}

function columnLines ({ table, keys }: NamedTable, { words }: Around): string {
  const primary = table.keys.find(({ kind, columns }) => kind === 'primary' && columns.length === 1)?.columns[0]
  return table.columns.map((column) => {
    const isPrimary = column.name === primary
    return `  ${keys.get(column.name) as string}: ${columnSource(isPrimary ? { ...column, isRequired: false } : column, words)}${isPrimary ? '.primaryKey()' : ''}`
  }).join(',\n')
}

/** A key of the table. The other table of a reference is in the file, too. */
function extraText ({ kind, name, columns, nullsNotDistinct, expression, target }: CatalogKey, one: NamedTable, { named, words }: Around): string {
  const list = (of: NamedTable, among: readonly string[], constant = 'table'): string => among.map((column) => `${constant}.${of.keys.get(column) as string}`).join(', ')
  switch (kind) {
    case 'primary': return `${words.use('primaryKey')}({ name: ${quoted(name)}, columns: [${list(one, columns)}] })`
    case 'unique': return `${words.use('unique')}(${quoted(name)}).on(${list(one, columns)})${nullsNotDistinct ? '.nullsNotDistinct()' : ''}`
    case 'check': return `${words.use('check')}(${quoted(name)}, ${words.sql(expression as string)})`
    case 'foreign': {
      const { schema, table: to, columns: into, onDelete, onUpdate } = target as NonNullable<typeof target>
      const other = named.find(({ table }) => table.schema === schema && table.name === to) as NamedTable
      const actions = [onDelete === null ? '' : `.onDelete('${onDelete}')`, onUpdate === null ? '' : `.onUpdate('${onUpdate}')`].join('')
      return `${words.use('foreignKey')}({ name: ${quoted(name)}, columns: [${list(one, columns)}], foreignColumns: [${list(other, into, other === one ? 'table' : other.constant)}] })${actions}`
    }
    default: return `${words.use(kind)}(${quoted(name)}).on(${list(one, columns)})`
  }
}
