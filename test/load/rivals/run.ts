/**
 * Runs the same handlers in the transactions of other packages: `npm run test:rivals` writes the table into docs/reliability.md.
 * Exits with 1 if this package breaks a promise in it; the results of the others are reported, not judged.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { projectRoot } from '../../house/source-files.js'
import { Cluster } from '../crash/cluster.js'
import { scenarios } from './scenarios.js'
import { Stage } from './stage.js'
import { ways } from './ways.js'
import type { Outcome, Scenario } from './scenarios.js'
import type { WayName } from './ways.js'

const page = join(projectRoot, 'docs', 'reliability.md')
const marks = { from: '<!-- made by npm run test:rivals -->\n', to: '<!-- end of what was made -->' }
const names = Object.keys(ways) as WayName[]
process.on('SIGINT', () => process.exit(130))

const cluster = await Cluster.start()
const outcomes = new Map<Scenario, Map<WayName, Outcome>>()
for (const scenario of scenarios) {
  const row = new Map<WayName, Outcome>()
  outcomes.set(scenario, row)
  for (const name of names) {
    const outcome = await perform(scenario, name)
    row.set(name, outcome)
    console.log(`${outcome.holds ? 'holds ' : 'broken'} ${scenario.number}: ${scenario.title} — ${name}: ${outcome.words}`)
  }
}
writePage(await makeTable())
await cluster.stop()
process.exit([...outcomes.values()].every((row) => row.get('fastify-data-access')?.holds) ? 0 : 1)

/** Runs one scenario with one server. In every case the process must live, and every connection must be released. */
async function perform (scenario: Scenario, name: WayName): Promise<Outcome> {
  const stage = await Stage.open(cluster, name)
  try {
    const { holds, words } = await scenario.run(stage)
    const leaked = await leftInUse(stage)
    if (stage.program.crashes.length > 0) return { holds: false, words: `${words}; **the process ended**` }
    return leaked === 0 ? { holds, words } : { holds: false, words: `${words}; **${leaked} connection of the pool lost**` }
  } finally {
    await stage.close()
  }
}

async function leftInUse (stage: Stage): Promise<number> {
  for (let tries = 0; tries < 40 && await stage.inUse() > 0; tries++) await wait(50)
  return await stage.inUse()
}

async function makeTable (): Promise<string> {
  const [server] = await cluster.query<{ version: string }>("select current_setting('server_version') as version")
  const versions = ['@fastify/postgres', 'drizzle-orm', 'drizzle-orm-1', 'pg', 'fastify'].map(titleOf)
  const rows = [...outcomes].map(([{ number, title }, row]) => [number, title, ...names.map((name) => cell(row.get(name)))])
  const table = [['', 'what happens', ...names.map((name) => name === 'drizzle-orm-1' ? 'drizzle-orm 1.0' : name)], ['---', '---', ...names.map(() => '---')], ...rows]
  return [
    `Made with ${versions.join(', ')}, Node ${process.versions.node}, PostgreSQL ${server?.version}.`,
    '',
    ...table.map((row) => `| ${row.join(' | ')} |`),
    ''
  ].join('\n')
}

function cell (outcome: Outcome | undefined): string {
  return outcome === undefined ? '' : `${outcome.holds ? '✓' : '✗'} ${outcome.words}`
}

/** The name and version of a package. Drizzle 1.0 is installed under a name of its own. */
function titleOf (folder: string): string {
  const path = join(projectRoot, 'node_modules', folder, 'package.json')
  const { name, version } = createRequire(import.meta.url)(path) as { name: string, version: string }
  return `${name} ${version}`
}

function writePage (table: string): void {
  const [before, rest] = readFileSync(page, 'utf8').split(marks.from)
  const after = rest?.split(marks.to)[1]
  if (before === undefined || after === undefined) throw new Error(`${page} has no place for the table any more: ${marks.from}${marks.to}`)
  writeFileSync(page, `${before}${marks.from}\n${table}\n${marks.to}${after}`)
}
