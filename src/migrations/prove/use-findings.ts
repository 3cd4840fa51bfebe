import { fits, listed, lostLabels, readKind, type CatalogPair } from './type-fit.js'
import type { PreparedStatement } from './analyse-statement.js'
import type { Finding } from './finding.js'

/** The same statement on two schemas. */
export interface StatementPair {
  readonly before: PreparedStatement
  readonly after: PreparedStatement
}

/** Why parameters of a statement may be refused, and what it reads otherwise, on the second schema. */
export function useFindings ({ before, after }: StatementPair, catalogs: CatalogPair, role: string | undefined): Finding[] {
  return [...parameterFindings(before, after, catalogs), ...readFindings(before, after, catalogs), ...rowSecurityFindings(after, catalogs, role)]
}

function parameterFindings (before: PreparedStatement, after: PreparedStatement, catalogs: CatalogPair): Finding[] {
  return after.parameters.flatMap((oid, index) => {
    const from = { oid: before.parameters[index]!, text: catalogs.before.types.get(before.parameters[index]!)!.name }
    const to = { oid, text: catalogs.after.types.get(oid)!.name }
    if (fits(from, to, catalogs)) return []
    const [was, is] = [catalogs.before.types.get(from.oid)!, catalogs.after.types.get(to.oid)!]
    const lost = lostLabels(was, is)
    const wayOut = 'Deploy code that no longer sends such values first; change the type in a later deployment'
    const object = `type ${to.text}`
    if (lost.length > 0) return [{ object, problem: `has no ${listed(lost)}, which a parameter may be`, sqlState: '22P02', wayOut }]
    if (from.text === to.text) return [{ object, problem: 'has stricter conditions, and is that of a parameter', sqlState: '23514', wayOut }]
    const sqlState = /^(?:smallint|integer|bigint|numeric)/.test(to.text) ? '22003' : '22P02'
    return [{ object, problem: `is that of a parameter, not ${from.text}, and does not hold each of its values`, sqlState, wayOut }]
  })
}

function readFindings ({ returned }: PreparedStatement, after: PreparedStatement, catalogs: CatalogPair): Finding[] {
  return returned.flatMap((place) => {
    const now = after.returned.find(({ relation, column }) => relation === place.relation && column === place.column)
    const from = catalogs.before.relations.get(place.relation)?.columns.get(place.column)
    const relation = now && catalogs.after.relations.get(now.relation)
    const to = now && relation?.columns.get(now.column)
    if (from === undefined || relation === undefined || to === undefined || readKind(from.type, catalogs.before) === readKind(to.type, catalogs.after)) return []
    return [{
      object: `${relation.name}.${to.name}`,
      problem: `is ${to.type.text}, not ${from.type.text}: the code that reads it gets another kind of value`,
      sqlState: undefined,
      wayOut: 'Add a column of the new type beside it; drop the old one in a later deployment, when no running code names it'
    }]
  })
}

/** The owner of a table is above its policies, unless they are forced. A program with a role of its own is not. */
function rowSecurityFindings ({ relations }: PreparedStatement, { before, after }: CatalogPair, role: string | undefined): Finding[] {
  return relations.flatMap((oid) => {
    const [from, to] = [before.relations.get(oid), after.relations.get(oid)]
    const holds = (relation: typeof to): boolean => relation !== undefined && relation.hasRowSecurity && (relation.forcesRowSecurity || role !== undefined)
    if (to === undefined || !holds(to) || holds(from)) return []
    return [{
      object: to.name,
      problem: 'has row level security: rows that no policy allows are hidden, and refused',
      sqlState: '42501',
      wayOut: 'Deploy code that says for whom it works first; enable the policies in a later deployment'
    }]
  })
}
