import { cased } from './casing.js'
import { isDrizzle1 } from './version.js'
import type { Casing } from './casing.js'

/** A name that the database does not have, and what PostgreSQL proposes instead. */
interface Missing {
  readonly kind: 'column' | 'table'
  readonly name: string
  readonly hint: string | undefined
}

const migrations = 'Otherwise run your migrations'

/** Explains the failure of a statement with a name that the database may have in another case; undefined for any other name. */
export function caseExplainer (casing: Casing | undefined): (missing: Missing) => string | undefined {
  return (missing) => missing.kind === 'table' ? explainTable(missing) : explainColumn(missing, casing)
}

function explainTable ({ name }: Missing): string | undefined {
  const snake = cased(name, 'snake_case')
  if (snake === name) return undefined
  return `Table "${name}" does not exist. If the database calls it "${snake}", declare it under that name: casing changes the names of columns alone. ${migrations}`
}

/** Drizzle 0.45 writes a property as `casing` says, and 1.0 as the function says that declared the table. */
function explainColumn ({ name, hint }: Missing, casing: Casing | undefined): string | undefined {
  const [snake, camel] = [cased(name, 'snake_case'), cased(name, 'camelCase')]
  if (name !== snake && casing !== 'snake_case') {
    const wayOut = isDrizzle1 ? 'declare the table with snakeCase.table() of drizzle-orm/pg-core' : "set casing: 'snake_case' for this database, and in drizzle.config.ts"
    return sentence(name, { other: snake, hint, wayOut })
  }
  if (name === camel || !(casing === 'snake_case' || proposes(hint, camel))) return undefined
  return sentence(name, { other: camel, hint, wayOut: isDrizzle1 ? 'declare the table with pgTable()' : "leave out casing: 'snake_case'" })
}

function sentence (name: string, { other, hint, wayOut }: { other: string, hint: string | undefined, wayOut: string }): string {
  const missing = `Column "${name}" does not exist`
  if (proposes(hint, other)) return `${missing}, and "${other}" does: ${wayOut}, or name this column in its declaration`
  return `${missing}. If the database calls it "${other}", ${wayOut}, or name this column in its declaration. ${migrations}`
}

/** Whether PostgreSQL proposes a name, which it writes as `"table.column"`. */
function proposes (hint: string | undefined, name: string): boolean {
  return hint?.includes(`.${name}"`) === true
}
