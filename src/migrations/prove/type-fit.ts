import type { Catalog, Type, TypeUse } from './catalog.js'

/** The two schemas that a statement is compared on. */
export interface CatalogPair {
  /** The schema that the statement was written for. */
  readonly before: Catalog
  readonly after: Catalog
}

/** For each type, wider ones in order. Each value of a type is one of all that follow it. */
const wider: ReadonlyArray<readonly string[]> = [
  ['smallint', 'integer', 'bigint', 'numeric'],
  ['smallint', 'integer', 'double precision'],
  ['real', 'double precision'],
  ['character', 'character varying', 'text'],
  ['text', 'character varying', 'citext'],
  ['date', 'timestamp without time zone'],
  ['date', 'timestamp with time zone'],
  ['json', 'jsonb'],
  ['jsonb', 'json'],
  ['cidr', 'inet']
]

/** Whether a type holds each value that another one did. Every value can be written as text. */
export function fits (from: TypeUse, to: TypeUse, catalogs: CatalogPair): boolean {
  const before = catalogs.before.types.get(from.oid)!
  const after = catalogs.after.types.get(to.oid)!
  if (!after.conditions.every((condition) => before.conditions.includes(condition))) return false
  if (before.kind === 'd' || after.kind === 'd') return fits(behindDomain(before, from), behindDomain(after, to), catalogs)
  if (before.category === 'A' && after.category === 'A') return fits(modified(before.base!, from), modified(after.base!, to), catalogs)
  if (after.kind === 'e') return before.kind === 'e' && lostLabels(before, after).length === 0
  return holds(partsOf(from.text), partsOf(to.text))
}

/** The labels that an enum no longer has. */
export function lostLabels (before: Type, after: Type): string[] {
  return before.labels.filter((label) => !after.labels.includes(label))
}

/** The labels, as SQL writes them. */
export function listed (labels: readonly string[]): string {
  return labels.map((label) => `'${label}'`).join(', ')
}

/** The kind of JavaScript value that a program reads of a type. */
export function readKind ({ oid }: TypeUse, catalog: Catalog): string {
  const { name, category, base } = catalog.types.get(oid)!
  if (base !== null) return `${category === 'A' ? 'array of ' : ''}${readKind(base, catalog)}`
  return kindsOfCategories[category] ?? kindsOfTypes[name] ?? 'text'
}

const kindsOfCategories: Readonly<Record<string, string>> = { N: 'number', B: 'boolean', D: 'date' }
const kindsOfTypes: Readonly<Record<string, string>> = { json: 'json', jsonb: 'json', bytea: 'bytes' }

interface TypeParts {
  readonly name: string
  /** A length, or a precision and a scale. */
  readonly modifiers: readonly number[]
}

function partsOf (text: string): TypeParts {
  const [, modifiers] = /\(([\d,-]+)\)/.exec(text) ?? []
  return { name: text.replace(/\([\d,-]+\)/, ''), modifiers: modifiers === undefined ? [] : modifiers.split(',').map(Number) }
}

function holds (from: TypeParts, to: TypeParts): boolean {
  if (to.name === 'text') return true
  const isWider = from.name === to.name || wider.some((names) => names.includes(from.name) && names.indexOf(to.name) > names.indexOf(from.name))
  return isWider && holdsModified(from, to)
}

function holdsModified (from: TypeParts, to: TypeParts): boolean {
  const [size, scale = 0] = to.modifiers
  if (size === undefined) return true
  const [oldSize, oldScale = 0] = from.modifiers
  // Without modifiers a type has no limit.
  if (oldSize === undefined) return false
  return scale >= oldScale && size - scale >= oldSize - oldScale
}

/** The modifiers of an array are those of its elements. */
function modified (element: TypeUse, { text }: TypeUse): TypeUse {
  return { oid: element.oid, text: text.replace(/(?:\[\])+$/, '') }
}

function behindDomain ({ kind, base }: Type, type: TypeUse): TypeUse {
  return kind === 'd' ? base! : type
}
