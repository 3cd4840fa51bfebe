/** A reason why a statement does not run on a schema, or not with every value. */
export interface Finding {
  /** The part of the schema: `users.name`, `users`, or PostgreSQL's words for another object. */
  readonly object: string
  /** A sentence about the object, without its name. */
  readonly problem: string
  /** The SQLSTATE that the statement gets, or may get; undefined if it writes or reads something else without an error. */
  readonly sqlState: string | undefined
  /** The steps that break nothing. */
  readonly wayOut: string
}

/** The same finding for several statements. */
export interface BrokenStatements extends Finding {
  /** Their texts, sorted. */
  readonly statements: readonly string[]
}

/** One entry for each finding, with the statements that have it. */
export function grouped (found: ReadonlyArray<{ readonly text: string, readonly findings: readonly Finding[] }>): BrokenStatements[] {
  const groups = new Map<string, Finding & { statements: string[] }>()
  for (const { text, findings } of found) {
    for (const finding of findings) {
      const key = JSON.stringify([finding.object, finding.problem, finding.sqlState])
      const group = groups.get(key) ?? { ...finding, statements: [] }
      groups.set(key, group)
      if (!group.statements.includes(text)) group.statements.push(text)
    }
  }
  return [...groups.entries()].sort(([one], [other]) => one < other ? -1 : 1).map(([, group]) => ({ ...group, statements: group.statements.sort() }))
}
