/**
 * Plants one bug after the other and sees whether a test notices: `npm run test:mutants`, or with `-- <word> …` only those whose
 * file or title has one of the words in it. Exits with 1 when one survived.
 *
 * The result of whole files goes into result.md.
 */
import { projectRoot, readTree } from '../house/source-files.js'
import { sharedPostgres } from '../../src/testing/postgres/shared-server.js'
import { startCompiler } from './compiler.js'
import { equivalents } from './equivalents.js'
import { plant } from './plant.js'
import { writeResult } from './result.js'
import { staleEquivalents, targetsOf } from './targets.js'
import { runTestFile } from './test-file.js'
import type { Mutant } from './plant.js'
import type { FileResult } from './result.js'
import type { Target } from './targets.js'
import type { Run } from './test-file.js'

/** PostgreSQL does much of the work, so two at a time suit two cores. */
const jobs = 2

interface Verdict {
  readonly kind: 'refused' | 'killed' | 'survived' | 'equivalent'
  /** Which test noticed, or why nobody could. */
  readonly by: string
}

const words = process.argv.slice(2)
const runs = new Map<string, Run>()
const refuses = startCompiler()
const databaseUrl = process.env['DATABASE_URL'] || await sharedPostgres()
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130))

const all = targetsOf(readTree(projectRoot))
const stale = staleEquivalents(all)
if (stale.length > 0) throw new Error(`equivalents.ts lists mutants that do not exist:\n${stale.join('\n')}`)
const wanted = all.flatMap((target) => target.mutants.filter(isWanted).map((mutant) => ({ mutant, target })))
await measure(new Set(wanted.flatMap(({ target }) => target.tests)))
for (const { tests } of all) tests.sort((one, other) => millisOf(one) - millisOf(other))
const verdicts = await judgeAll()
writeResult(all.map(({ source }) => source.path), all.filter(({ mutants }) => mutants.every(isWanted)).map(resultOf))
for (const kind of [
  'refused',
  'killed',
  'equivalent',
  'survived'
]) console.log(`${[...verdicts.values()].filter((verdict) => verdict.kind === kind).length} ${kind}`)
process.exit([...verdicts.values()].some(({ kind }) => kind === 'survived') ? 1 : 0)

function isWanted ({ file, title }: Mutant): boolean {
  return words.length === 0 || words.some((word) => `${file} ${title}`.includes(word))
}

function millisOf (test: string): number {
  return runs.get(test)?.millis ?? 0
}

/** Several times as long as without a bug: the machine may have more to do now. */
function silenceOf (test: string): number {
  return 5000 + 3 * (runs.get(test)?.longestSilenceMillis ?? 0)
}

/** Some at a time, in order. */
async function eachOf<Item> (items: Iterable<Item>, work: (item: Item) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]()
  const next = async (): Promise<void> => {
    for (let { done, value } = queue.next(); done !== true; { done, value } = queue.next()) await work(value)
  }
  await Promise.all(Array.from({ length: jobs }, next))
}

/** Without a bug every test must pass; how long it said nothing tells how long it may do so with one. */
async function measure (tests: Iterable<string>): Promise<void> {
  const { folder, remove } = await plant([])
  await eachOf(tests, async (test) => {
    const run = await runTestFile(test, { folder, databaseUrl, silenceMillis: 120_000 })
    if (run.failure !== undefined) throw new Error(`${test} fails without any mutant: ${run.failure}`)
    runs.set(test, run)
  })
  await remove()
}

async function judgeAll (): Promise<Map<Mutant, Verdict>> {
  const verdicts = new Map<Mutant, Verdict>()
  await eachOf(wanted, async ({ mutant, target }) => {
    const verdict = await judge(mutant, target)
    verdicts.set(mutant, verdict)
    console.log(`${verdicts.size}/${wanted.length} ${verdict.kind} ${mutant.file} ${mutant.title}\n    ${verdict.by}`)
  })
  return verdicts
}

async function judge (mutant: Mutant, { source, tests }: Target): Promise<Verdict> {
  const equivalent = equivalents.find(({ file, titles }) => file === mutant.file && titles.includes(mutant.title))
  if (equivalent !== undefined) return { kind: 'equivalent', by: equivalent.reason }
  if (refuses(source.path, source.text.split(mutant.find).join(mutant.replace))) return { kind: 'refused', by: 'the compiler' }
  const { folder, remove } = await plant([mutant])
  try {
    for (const test of [...tests]) {
      const { failure } = await runTestFile(test, { folder, databaseUrl, silenceMillis: silenceOf(test) })
      if (failure === undefined) continue
      tests.unshift(...tests.splice(tests.indexOf(test), 1))
      return { kind: 'killed', by: `${test}: ${failure}` }
    }
    return { kind: 'survived', by: 'nobody' }
  } finally {
    await remove()
  }
}

function resultOf ({ source, mutants }: Target): FileResult {
  const of = (kind: Verdict['kind']): Mutant[] => mutants.filter((mutant) => verdicts.get(mutant)?.kind === kind)
  return {
    file: source.path,
    refused: of('refused').length,
    killed: of('killed').length,
    survived: of('survived').map(({ title }) => title),
    equivalent: of('equivalent').map((mutant) => ({ title: mutant.title, reason: verdicts.get(mutant)?.by ?? '' }))
  }
}
