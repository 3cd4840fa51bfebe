import { postgresErrorOf } from './postgres-failure.js'
import { readStatementTree, readViewColumns } from './statement-tree.js'
import { isParameter, textOf, tokensOf } from './lock/tokens.js'
import type { Client } from 'pg'
import type { PostgresFailure } from './postgres-failure.js'
import type { StatementTree, Write } from './statement-tree.js'

/** An object that a statement needs, as `pg_depend` names it. */
export interface Dependency {
  /** The catalog that describes it. */
  readonly class: string
  readonly object: string
  /** The number of a column; 0 for a whole object. */
  readonly column: number
}

/** What PostgreSQL says of a statement that it can prepare. */
export interface PreparedStatement extends StatementTree {
  /** The types of its parameters, by oid. */
  readonly parameters: readonly string[]
  readonly dependencies: readonly Dependency[]
  /** Why it cannot be planned, or may not be run. */
  readonly planFailure: PostgresFailure | undefined
}

/** What PostgreSQL says of a statement: why it cannot be prepared, or what it does. */
export type StatementAnalysis = { readonly failure: PostgresFailure } | { readonly failure: undefined, readonly prepared: PreparedStatement }

/** How statements are analysed. */
export interface AnalysisOptions {
  /** The role of the program. @defaultValue that of the connection */
  readonly role: string | undefined
}

/** The schema of functions that last as long as the analysis of one statement. */
export const proveSchema = 'data_access_prove'

/**
 * Has PostgreSQL prepare a statement and plan it, with a generic plan, and asks what it does. Nothing is run, and nothing stays.
 *
 * For the last question the statement becomes the body of a function: PostgreSQL keeps its parse tree, and what it depends on.
 */
export async function analyseStatement (client: Client, text: string, { role }: AnalysisOptions): Promise<StatementAnalysis> {
  await client.query('begin; set local plan_cache_mode = force_generic_plan')
  try {
    if (role !== undefined) await client.query(`set local role ${client.escapeIdentifier(role)}`)
    const failure = await failureOf(client, { text: `prepare data_access_prove as ${text}`, queryMode: 'extended' })
    if (failure !== undefined) return { failure }
    const parameters = await parametersOf(client)
    const planFailure = await failureOf(client, `explain execute data_access_prove${parameters.length === 0 ? '' : ` (${parameters.map(() => 'null').join(', ')})`}`)
    await client.query('reset role')
    return { failure: undefined, prepared: { parameters: parameters.map(({ oid }) => oid), planFailure, ...await contentsOf(client, withTypes(text, parameters)) } }
  } finally {
    await client.query('rollback; deallocate all')
  }
}

interface Parameter {
  readonly oid: string
  readonly type: string
}

async function parametersOf (client: Client): Promise<Parameter[]> {
  const { rows } = await client.query<Parameter>(
    `select type::oid::text as oid, type::text as type
     from pg_prepared_statements, unnest(parameter_types) with ordinality as parameters (type, number) where name = 'data_access_prove' order by number`
  )
  return rows
}

/** Runs a statement in a transaction, which goes on if PostgreSQL refuses it. */
export async function failureOf (client: Client, statement: string | { readonly text: string, readonly queryMode: string }): Promise<PostgresFailure | undefined> {
  await client.query('savepoint data_access_prove')
  try {
    await client.query(statement)
    return undefined
  } catch (error) {
    const failure = postgresErrorOf(error)
    await client.query('rollback to savepoint data_access_prove')
    return failure
  }
}

/** A function has at most 100 parameters, so their places are taken by nulls of their types. */
function withTypes (text: string, parameters: readonly Parameter[]): string {
  return textOf(tokensOf(text).map((token) => isParameter(token) ? { ...token, text: `(null::${parameters[Number(token.text.slice(1)) - 1]!.type})` } : token))
}

async function contentsOf (client: Client, body: string): Promise<StatementTree & Pick<PreparedStatement, 'dependencies'>> {
  await client.query(`create function ${proveSchema}.statement() returns void language sql begin atomic ${body}; end`)
  const { rows: [row] } = await client.query<{ tree: string, dependencies: Dependency[] }>(
    `select prosqlbody::text as tree, (
       select coalesce(json_agg(json_build_object(
         'class', refclassid::regclass::text, 'object', refobjid::text, 'column', refobjsubid
       ) order by refclassid, refobjid, refobjsubid), '[]') from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid
     ) as dependencies
     from pg_proc where oid = '${proveSchema}.statement()'::regprocedure`
  )
  const { tree, dependencies } = row!
  const contents = readStatementTree(tree)
  return { ...contents, writes: await Promise.all(contents.writes.map((write) => behindViews(client, write))), dependencies }
}

/** The same write on the table behind a view. A column that the view computes cannot be written. */
async function behindViews (client: Client, write: Write): Promise<Write> {
  const { rows: [view] } = await client.query<{ tree: string }>(
    "select ev_action::text as tree from pg_rewrite join pg_class on pg_class.oid = ev_class where ev_class = $1::oid and relkind = 'v' and ev_type = '1'", [write.relation]
  )
  if (view === undefined) return write
  const places = readViewColumns(view.tree)
  const written = write.columns.flatMap((column) => places.get(column) ?? [])
  const relation = [...places.values()].at(0)?.relation
  return relation === undefined ? write : await behindViews(client, { ...write, relation, columns: written.map(({ column }) => column) })
}
