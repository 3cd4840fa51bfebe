import { literally } from '../../runtime/expressions.js'
import { fits, listed, lostLabels, type CatalogPair } from './type-fit.js'
import type { Column, Relation, Rule } from './catalog.js'
import type { Finding } from './finding.js'
import type { NewRules } from './new-rules.js'
import type { Write } from './statement-tree.js'

/** A write of a statement, as PostgreSQL understands it on either schema. */
export interface WritePair {
  readonly before: Write
  readonly after: Write
}

/** The SQLSTATE of a broken rule, by its kind. */
const stateOfRule: Readonly<Record<Rule['kind'], string>> = { c: '23514', f: '23503', u: '23505', x: '23P01' }

/** Why rows that a statement writes may be refused, or get other values, on the second schema. */
export async function writeFindings ({ before, after }: WritePair, catalogs: CatalogPair, newRules: NewRules): Promise<Finding[]> {
  const from = catalogs.before.relations.get(before.relation)
  const to = catalogs.after.relations.get(after.relation)
  // A table of PostgreSQL's own.
  if (from === undefined || to === undefined) return []
  const rules = await newRules.of(from, to)
  return [
    ...after.command === 'insert' ? unfilledFindings(from, to, after.columns) : [],
    ...after.columns.flatMap((number, index) => valueFindings({ relation: to, from: from.columns.get(before.columns[index]!), to: to.columns.get(number)! }, catalogs)),
    ...rules.filter(({ columns }) => columns.some((number) => after.columns.includes(number) || number === 0)).map((rule) => ruleFinding(to, rule))
  ]
}

/** The columns that an INSERT gives no value to. */
function unfilledFindings (from: Relation, to: Relation, written: readonly number[]): Finding[] {
  return [...to.columns].flatMap(([number, column]): Finding[] => {
    const old = from.oid === to.oid ? from.columns.get(number) : [...from.columns.values()].find(({ name }) => name === column.name)
    if (written.includes(number) || column.isFilled || to.triggers.some((source) => names(source, column.name))) return []
    const object = `${to.name}.${column.name}`
    if (column.isRequired) {
      if (old !== undefined && old.isRequired && !old.isFilled) return []
      return [{
        object,
        problem: 'is NOT NULL without a default, and the statement gives it no value',
        sqlState: '23502',
        wayOut: 'Let it have a default, or accept NULL, as long as code runs that does not write it; the migration of a later deployment takes that away'
      }]
    }
    return old?.isFilled === true
      ? [{ object, problem: 'has no default, and the statement relies on one: the column becomes NULL', sqlState: undefined, wayOut: 'Deploy code that writes the column first; drop the default in a later deployment' }]
      : []
  })
}

function valueFindings ({ relation, from, to }: { readonly relation: Relation, readonly from: Column | undefined, readonly to: Column }, catalogs: CatalogPair): Finding[] {
  if (from === undefined) return []
  const object = `${relation.name}.${to.name}`
  const findings: Finding[] = []
  if (to.isRequired && !from.isRequired) {
    findings.push({
      object,
      problem: 'is NOT NULL, and the statement may write NULL',
      sqlState: '23502',
      wayOut: 'Deploy code that never writes NULL first; set NOT NULL in a later deployment'
    })
  }
  if (!fits(from.type, to.type, catalogs)) findings.push({ object, ...typeProblem(from, to, catalogs) })
  return findings
}

function typeProblem ({ type: from }: Column, { type: to }: Column, { before, after }: CatalogPair): Omit<Finding, 'object'> {
  const lost = lostLabels(before.types.get(from.oid)!, after.types.get(to.oid)!)
  const wayOut = 'Add a column of the new type beside it and write both; drop the old one in a later deployment, when no running code names it'
  if (from.text !== to.text) return { problem: `is ${to.text}, not ${from.text}, and does not hold every value that the statement may write`, sqlState: stateOfType(to.text), wayOut }
  return after.types.get(to.oid)!.kind === 'e'
    ? { problem: `has no ${listed(lost)}, which the statement may write`, sqlState: '22P02', wayOut: 'Deploy code that no longer writes the value first; take it away in a later deployment' }
    : { problem: `has stricter conditions: its type is ${to.text}`, sqlState: '23514', wayOut: 'Deploy code whose values keep to them first; add them in a later deployment' }
}

/** The SQLSTATE for a value that is too long, too large, or of another form. */
function stateOfType (text: string): string {
  if (/^(?:character|bit)/.test(text)) return '22001'
  return /^(?:smallint|integer|bigint|numeric|real|double)/.test(text) ? '22003' : '22P02'
}

function ruleFinding ({ name, columns }: Relation, rule: Rule): Finding {
  const [first] = rule.columns
  const column = rule.columns.length === 1 ? columns.get(first!) : undefined
  return {
    object: column === undefined ? name : `${name}.${column.name}`,
    problem: `has the ${rule.kind === 'u' ? 'unique index' : 'constraint'} ${rule.name}, and the statement writes it: ${rule.definition}`,
    sqlState: stateOfRule[rule.kind],
    wayOut: 'Deploy code that keeps to it first; add it in a later deployment'
  }
}

/** Whether the source of a trigger names a column: then it may fill it. */
function names (source: string, column: string): boolean {
  return new RegExp(`(?<![\\w$])${literally(column)}(?![\\w$])`, 'i').test(source)
}
