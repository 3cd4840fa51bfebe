import type { Dependency, PreparedStatement } from './analyse-statement.js'
import type { Catalog, Relation } from './catalog.js'
import type { Finding } from './finding.js'
import type { PostgresFailure } from './postgres-failure.js'
import type { CatalogPair } from './type-fit.js'

/** The catalogs of functions and types. */
const functions = 'pg_proc'
const types = 'pg_type'

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

/** An object that is not there, or has another name. Objects keep their oids, because the migrations ran on the same database. */
function missingOf ({ class: catalog, object, column }: Dependency, { before, after }: CatalogPair): Change | undefined {
  if (catalog === functions) return changedName(before.functions.get(object), after.functions.get(object))
  if (catalog === types) return changedName(before.types.get(object)?.name, after.types.get(object)?.name)
  const [from, to] = [before.relations.get(object), after.relations.get(object)]
  const change = changedName(from?.name, to?.name)
  if (change !== undefined || from === undefined) return change
  return changedName(columnName(from, column), columnName(to, column))
}

function changedName (before: string | undefined, after: string | undefined): Change | undefined {
  if (before === undefined || before === after) return undefined
  return { object: before, change: after === undefined ? 'is not there' : `is called ${after}` }
}

function columnName (relation: Relation | undefined, column: number): string | undefined {
  const name = relation?.columns.get(column)?.name
  return name === undefined ? undefined : `${relation!.name}.${name}`
}

/** A column whose type is another one: an operator or a function may not take it. */
function changedType ({ object, column }: Dependency, { before, after }: CatalogPair): Change | undefined {
  const [relation, to] = [before.relations.get(object), after.relations.get(object)?.columns.get(column)]
  const from = relation?.columns.get(column)
  if (from === undefined || to === undefined || from.type.text === to.type.text) return undefined
  return { object: `${relation!.name}.${from.name}`, change: `is ${to.type.text}, not ${from.type.text}` }
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
  const type = /for enum "?([\w$.]+)/.exec(message)?.[1]
  if (type !== undefined) return `type ${type}`
  const named = /for (?:table|view|schema|sequence|function|relation) "?([\w$.]+)/.exec(message)?.[1]
  return named ?? relations.flatMap((oid) => before.relations.get(oid)?.name ?? []).at(0) ?? 'the statement'
}
