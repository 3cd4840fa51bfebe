import { withoutLiterals } from './canonical.js'

/** The statements of a program, as `statements.lock` lists them. */
export interface StatementLock {
  /** The newest migration in the folder when they were recorded. */
  migration: string | undefined
  /** By their canonical text. */
  readonly statements: Map<string, LockedStatement>
}

/** What a lock says of a statement besides its text. */
export interface LockedStatement {
  /** The table of the repository that built it. */
  readonly table: string | undefined
  /** Whether the program sends it with many literals: the text has parameters in their place. */
  readonly varies: boolean
}

/** A statement that differs from others in its literals only is kept up to this number; then one without literals takes their place. */
const mostVariants = 8

const head = `-- The statements that the tests sent to PostgreSQL. recordStatements() of fastify-data-access/testing adds to this file,
-- data-access migrate prove reads it. To forget statements that are no longer sent, delete it and run all tests.
`
const migrationMark = '-- newest migration: '
const tableMark = '-- table '
const otherMark = '-- SQL of the program'
const variesMark = ' -- literals vary'

/** A lock without statements. */
export function emptyLock (): StatementLock {
  return { migration: undefined, statements: new Map() }
}

/** Reads a lock. The marks of a merge conflict are ignored, so both sides count. */
export function parseLock (text: string): StatementLock {
  const lock = emptyLock()
  let table: string | undefined
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith(migrationMark)) lock.migration = line.slice(migrationMark.length)
    else if (line.startsWith(tableMark)) table = line.slice(tableMark.length)
    else if (line === otherMark) table = undefined
    else if (line !== '' && !/^(?:--|<{7}|={7}|>{7}|\|{7})/.test(line)) readStatement(lock, line, table)
  }
  return lock
}

/** Writes a lock: by table, then by text, one statement in a line. Equal locks have equal texts. */
export function formatLock ({ migration, statements }: StatementLock): string {
  const byTable = new Map<string, string[]>()
  for (const text of [...statements.keys()].sort()) {
    const { table, varies } = statements.get(text)!
    const heading = table === undefined ? otherMark : `${tableMark}${table}`
    byTable.set(heading, [...byTable.get(heading) ?? [], varies ? `${text}${variesMark}` : text])
  }
  const headings = [...byTable.keys()].filter((heading) => heading !== otherMark).sort()
  const groups = [...headings, ...byTable.has(otherMark) ? [otherMark] : []].map((heading) => `\n${heading}\n${byTable.get(heading)!.join('\n')}\n`)
  return `${head}${migration === undefined ? '' : `${migrationMark}${migration}\n`}${groups.join('')}`
}

/** Adds a statement, by its canonical text. Returns whether the lock has changed. */
export function addStatement ({ statements }: StatementLock, text: string, table: string | undefined): boolean {
  if (statements.has(text)) return false
  const shape = withoutLiterals(text)
  if (shape !== text) {
    if (statements.get(shape)?.varies === true) return false
    const variants = [...statements.keys()].filter((each) => each !== shape && withoutLiterals(each) === shape)
    if (variants.length >= mostVariants) {
      for (const each of variants) statements.delete(each)
      statements.set(shape, { table, varies: true })
      return true
    }
  }
  statements.set(text, { table, varies: false })
  return true
}

function readStatement ({ statements }: StatementLock, line: string, table: string | undefined): void {
  const varies = line.endsWith(variesMark)
  statements.set(varies ? line.slice(0, -variesMark.length) : line, { table, varies })
}
