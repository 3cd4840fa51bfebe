import type { Dependency, PreparedStatement } from './analyse-statement.js'
import type { Catalog, Column } from './catalog.js'
import type { Finding } from './finding.js'
import type { PostgresFailure } from './postgres-failure.js'
import type { CatalogPair } from './type-fit.js'

/** The steps, by the SQLSTATE of a statement that cannot be prepared or planned. */
const waysOut: Readonly<Record<string, string>> = {
  '42P10': 'Let the former unique index stay as long as code runs that names its columns in ON CONFLICT; drop it in a later deployment',
  42501: 'Let the privilege stay as long as code runs that needs it; revoke it in a later deployment',
  '22P02': 'Deploy code that no longer names the value first; take it away in a later deployment',
  '428C9': 'Deploy code that does not write the column first; generate it in a later deployment'
}
const keepBoth = 'Add the new beside the old and let code use it; drop the old in a later deployment, when no running code names it'

/** Why PostgreSQL refuses a statement on the second schema, named by what the statement needed on the first. */
export function failureFindings (failure: PostgresFailure, { text, before, catalogs }: { readonly text: string, readonly before: PreparedStatement, readonly catalogs: CatalogPair }): Finding[] {
  const { sqlState, message } = failure
  const wayOut = waysOut[sqlState] ?? keepBoth
  const needed = before.dependencies.filter(isNamedIn(text, catalogs.before))
  const missing = needed.flatMap((dependency) => missingOf(dependency, catalogs) ?? [])
  if (missing.length > 0) return missing.map(({ object, change }) => ({ object, problem: change, sqlState, wayOut }))
  const changed = needed.flatMap((dependency) => changedType(dependency, catalogs) ?? [])
  if (changed.length > 0) return changed.map(({ object, change }) => ({ object, problem: `${change}: ${message}`, sqlState, wayOut }))
  return [{ object: objectOf(message, before, catalogs.before), problem: `is not as the statement needs it: ${message}`, sqlState, wayOut }]
}

interface Change {
  readonly object: string
  readonly change: string
}

/** The parts of a catalog that name what statements depend on, by PostgreSQL's catalogs. */
const parts: Readonly<Record<string, 'relations' | 'types' | 'functions'>> = { pg_class: 'relations', pg_type: 'types', pg_proc: 'functions' }

/** An object that is not there, or has another name. It keeps its oid, because the migrations ran on the same database; one that was made anew has its name. */
function missingOf (dependency: Dependency, catalogs: CatalogPair): Change | undefined {
  const part = parts[dependency.class]
  const from = part && catalogs.before[part].get(dependency.object)
  if (part === undefined || from === undefined) return undefined
  const to = successor(from.name, dependency.object, catalogs.after[part])
  if (to?.name !== from.name) return { object: from.name, change: changeTo(to?.name) }
  const columns = columnsOf(dependency, catalogs)
  if (columns === undefined || columns.to?.name === columns.from.name) return undefined
  return { object: `${from.name}.${columns.from.name}`, change: changeTo(columns.to && `${from.name}.${columns.to.name}`) }
}

function changeTo (name: string | undefined): string {
  return name === undefined ? 'is not there' : `is called ${name}`
}

function successor<Part extends { readonly name: string }> (name: string, oid: string, after: ReadonlyMap<string, Part>): Part | undefined {
  return after.get(oid) ?? [...after.values()].find((each) => each.name === name)
}

/** The column of a dependency on either schema, on a table that is there; undefined if it is none. */
function columnsOf ({ object, column }: Dependency, { before, after }: CatalogPair): { readonly table: string, readonly from: Column, readonly to: Column | undefined } | undefined {
  const relation = before.relations.get(object)
  const from = relation?.columns.get(column)
  if (relation === undefined || from === undefined) return undefined
  const next = successor(relation.name, object, after.relations)!
  return { table: relation.name, from, to: next.oid === object ? next.columns.get(column) : [...next.columns.values()].find(({ name }) => name === from.name) }
}

/** A column whose type is another one: an operator or a function may not take it. */
function changedType (dependency: Dependency, catalogs: CatalogPair): Change | undefined {
  const { table, from, to } = columnsOf(dependency, catalogs) ?? {}
  return from === undefined || to === undefined || from.type.text === to.type.text
    ? undefined
    : { object: `${table}.${from.name}`, change: `is ${to.type.text}, not ${from.type.text}` }
}

/** RETURNING and ON CONFLICT depend on each column of a table: those that the text does not name are not meant. */
function isNamedIn (text: string, { relations }: Catalog): (dependency: Dependency) => boolean {
  return ({ class: catalog, object, column }) => {
    const name = catalog === 'pg_class' ? relations.get(object)?.columns.get(column)?.name : undefined
    return name === undefined || text.includes(name)
  }
}

/** The object that PostgreSQL's message names, else the first table of the statement. */
function objectOf (message: string, { relations }: PreparedStatement, before: Catalog): string {
  const enumType = /for enum "?([\w$.]+)/.exec(message)?.[1]
  const named = /(?:table|view|schema|sequence|function|relation) "?([\w$.]+)/.exec(message)?.[1]
  const tables = relations.map((oid) => before.relations.get(oid)?.name)
  return [enumType && `type ${enumType}`, named, ...tables, 'the statement'].find((name) => name !== undefined)!
}
