import { analyseStatement, type AnalysisOptions, type StatementAnalysis } from './analyse-statement.js'
import { failureFindings } from './failure-findings.js'
import { grouped, type BrokenStatements, type Finding } from './finding.js'
import { NewRules } from './new-rules.js'
import { useFindings } from './use-findings.js'
import { writeFindings } from './write-findings.js'
import { readCatalog, type Catalog } from './catalog.js'
import type { Client } from 'pg'
import type { PreparedStatement } from './analyse-statement.js'
import type { CatalogPair } from './type-fit.js'

/** A statement about which nothing can be said. */
export interface UnprovedStatement {
  readonly text: string
  readonly reason: string
}

/** Whether the statements of a program run on another schema than the one that they were written for. */
export interface CodeProof {
  /** How many statements were looked at. */
  readonly statements: number
  /** What breaks, by table and column. */
  readonly broken: readonly BrokenStatements[]
  /** Statements that PostgreSQL refuses on the schema that they were written for, too: for example those on temporary tables. */
  readonly unproved: readonly UnprovedStatement[]
}

/** What PostgreSQL says of statements on one schema. */
export interface SchemaAnalysis {
  readonly catalog: Catalog
  /** By the texts of the statements. */
  readonly statements: ReadonlyMap<string, StatementAnalysis>
}

/** Asks PostgreSQL about each statement on the schema that a database has now. `checkSignal` throws to stop. */
export async function analyseStatements (client: Client, texts: Iterable<string>, { checkSignal, ...options }: AnalysisOptions & { readonly checkSignal: () => void }): Promise<SchemaAnalysis> {
  const statements = new Map<string, StatementAnalysis>()
  for (const text of texts) {
    checkSignal()
    statements.set(text, await analyseStatement(client, text, options))
  }
  return { catalog: await readCatalog(client), statements }
}

/** Compares what PostgreSQL said of statements on the schema that they were written for, and on another one. */
export async function compareAnalyses (client: Client, texts: Iterable<string>, { before, after, role }: { readonly before: SchemaAnalysis, readonly after: SchemaAnalysis } & AnalysisOptions): Promise<CodeProof> {
  const catalogs: CatalogPair = { before: before.catalog, after: after.catalog }
  const newRules = new NewRules(client)
  const unproved: UnprovedStatement[] = []
  const found: Array<{ text: string, findings: readonly Finding[] }> = []
  for (const text of texts) {
    const [was, is] = [before.statements.get(text)!, after.statements.get(text)!]
    if (was.failure === undefined) found.push({ text, findings: await findingsOf(text, { was: was.prepared, is, catalogs, newRules, role }) })
    else unproved.push({ text, reason: was.failure.message })
  }
  return { statements: found.length + unproved.length, broken: grouped(found), unproved }
}

interface Comparison extends AnalysisOptions {
  readonly was: PreparedStatement
  readonly is: StatementAnalysis
  readonly catalogs: CatalogPair
  readonly newRules: NewRules
}

async function findingsOf (text: string, { was, is, catalogs, newRules, role }: Comparison): Promise<Finding[]> {
  const failure = is.failure ?? (was.planFailure === undefined ? is.prepared.planFailure : undefined)
  if (failure !== undefined) return failureFindings(failure, { text, before: was, catalogs })
  const { prepared } = is as { prepared: PreparedStatement } // it has no failure
  const findings = useFindings({ before: was, after: prepared }, catalogs, role)
  for (const [index, after] of prepared.writes.entries()) {
    const before = was.writes[index]
    if (before !== undefined) findings.push(...await writeFindings({ before, after }, catalogs, newRules))
  }
  return findings
}
