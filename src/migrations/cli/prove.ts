import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { proveMigrations } from '../prove-migrations.js'
import type { MigrationProof } from '../prove-migrations.js'
import type { BrokenStatements } from '../prove/finding.js'
import type { CodeProof } from '../prove/prove-statements.js'
import type { Values } from './arguments.js'
import { lines, type Report } from './report.js'
import { configOf, targetOf, type Place } from './target.js'
import { CommandUsageError } from './usage-error.js'

/** How many statements of a finding are shown; `--json` has all. */
const shown = 3

/** `migrate prove`: old code on the new schema. */
export async function prove (values: Values, { signal, ...place }: Place & { readonly signal: AbortSignal }): Promise<Report> {
  const { lock = 'statements.lock', 'new-lock': newLock, from, first, role, accept } = values
  if (first !== undefined && first !== 'migrate' && first !== 'deploy') throw new CommandUsageError('--first is migrate or deploy')
  const document = await proveMigrations({
    ...targetOf(values, await configOf(values, place), place),
    lock: resolve(place.cwd, lock),
    newLock: newLock && resolve(place.cwd, newLock),
    from,
    first,
    role,
    sql: values.sql && await readFile(resolve(place.cwd, values.sql), 'utf8'),
    accept,
    signal
  })
  return { document, text: textOf(document), isDue: !document.ok }
}

function textOf ({ from, pending, running, next }: MigrationProof): string {
  const schema = pending.length === 0 ? `the schema of ${from}, behind which nothing is pending` : `the schema that ${pending.join(', ')} ${pending.length === 1 ? 'makes' : 'make'}`
  return [
    partOf('The code that runs now', schema, running),
    ...next === undefined ? [] : [partOf('The new code', `the schema of ${from}`, next), orderOf(running, next)]
  ].join('\n\n')
}

function partOf (code: string, schema: string, { statements, broken, unproved }: CodeProof): string {
  const count = new Set(broken.flatMap((finding) => finding.statements)).size
  const all = `${statements} statement${statements === 1 ? '' : 's'}`
  const verdict = count === 0 ? `nothing breaks in ${all}` : `${count} of ${all} ${count === 1 ? 'breaks' : 'break'}`
  return lines(`${code}: ${verdict} on ${schema}`, [
    ...broken.flatMap(linesOf),
    ...unproved.length === 0 ? [] : ['', `  Not proved, because PostgreSQL refuses ${unproved.length === 1 ? 'it' : 'them'} on the schema that the code was written for:`],
    ...unproved.flatMap(({ text, reason }) => [`    ${text}`, `      ${reason}`])
  ])
}

function linesOf ({ object, problem, sqlState, wayOut, statements }: BrokenStatements): string[] {
  const more = statements.length - shown
  return [
    '',
    `  ${object} ${problem}${sqlState === undefined ? '' : ` (${sqlState})`}`,
    `    ${wayOut}`,
    ...statements.slice(0, shown).map((text) => `      ${text}`),
    ...more > 0 ? [`      and ${more} more`] : []
  ]
}

/** The order of a deployment that breaks nothing. */
function orderOf (running: CodeProof, next: CodeProof): string {
  const [migrate, deploy] = [running.broken.length === 0, next.broken.length === 0]
  if (migrate && deploy) return 'Migrate and deploy in any order'
  if (migrate) return 'Migrate first, then deploy'
  return deploy ? 'Deploy first, then migrate' : 'Neither order works: make two deployments of it'
}
