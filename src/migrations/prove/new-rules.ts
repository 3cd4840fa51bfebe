import { failureOf } from './analyse-statement.js'
import type { Client } from 'pg'
import type { Relation, Rule } from './catalog.js'

/** The constraints and unique indexes that a table has gained between two schemas: those that may refuse a row that was accepted before. */
export class NewRules {
  readonly #client: Client
  readonly #known = new Map<string, Promise<readonly Rule[]>>()

  constructor (client: Client) {
    this.#client = client
  }

  /** Those of `after` that `before` did not have under any name, and that its checks do not imply. */
  of (before: Relation, after: Relation): Promise<readonly Rule[]> {
    const key = `${before.oid} ${after.oid}`
    const known = this.#known.get(key) ?? this.#find(before, after)
    this.#known.set(key, known)
    return known
  }

  async #find (before: Relation, after: Relation): Promise<readonly Rule[]> {
    const gained = after.rules.filter((rule) => !before.rules.some(({ oid, kind, definition }) => oid === rule.oid || (kind === rule.kind && definition === rule.definition)))
    const found: Rule[] = []
    for (const rule of gained) if (!await this.#isImplied(before, after, rule)) found.push(rule)
    return found
  }

  /**
   * Whether rows that keep to the old checks keep to a new one, too. PostgreSQL's planner knows: with the old ones on a table, it leaves out the scan for rows
   * that break the new one. It finds a longer list of values and a wider range, and no mistake; what it cannot prove counts as new.
   * https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-CONSTRAINT-EXCLUSION
   */
  async #isImplied (before: Relation, { name }: Relation, { expression }: Rule): Promise<boolean> {
    const checks = before.rules.flatMap((rule) => rule.expression ?? [])
    if (expression === null || checks.length === 0) return false
    await this.#client.query('begin; set local constraint_exclusion = on')
    try {
      const create = `create temporary table data_access_prove (like ${name}, ${checks.map((check) => `check (${check})`).join(', ')})`
      const explain = `explain select from data_access_prove where not (${expression})`
      // A column may be missing on the schema that the database has now.
      for (const statement of [create, explain]) if (await failureOf(this.#client, statement) !== undefined) return false
      const { rows } = await this.#client.query<{ 'QUERY PLAN': string }>(explain)
      return rows.some((row) => row['QUERY PLAN'].includes('One-Time Filter: false'))
    } finally {
      await this.#client.query('rollback')
    }
  }
}
