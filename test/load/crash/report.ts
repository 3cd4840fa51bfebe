import type { CrashResult } from './crash-run.js'

/** The counts that a run must reach to prove anything, and the longest recovery. */
export interface Bounds {
  readonly faults: number
  readonly acknowledged: number
  /** The longest recovery after the database was back; `Infinity` on a shared machine. */
  readonly recoveryMillis: number
}

/** The failures of a run: broken promises, and counts that were not reached. Empty if all is well. */
export function failuresOf (result: CrashResult, { faults, acknowledged, recoveryMillis }: Bounds): string[] {
  const { verdict: { lost, ghosts, halves }, findings, crashes, toll, journal } = result
  const slowest = Math.max(0, ...toll.recoveries.database)
  return [
    ...some(lost, 'lost'),
    ...some(ghosts, 'ghosts'),
    ...some(halves, 'halves'),
    ...some(findings.map(({ kind, text }) => `${kind}: ${text}`), 'seen broken at once'),
    ...some(crashes.map(({ words }) => words), 'ended by itself'),
    ...some(toll.neverRecovered, 'never recovered'),
    ...result.hung > 0 ? [`${result.hung} requests had no answer`] : [],
    ...result.idleInTransaction > 0 ? [`${result.idleInTransaction} sessions idle in transaction`] : [],
    ...result.leaked === 0 ? [] : [`${result.leaked} connections leaked`],
    ...result.closedInOrder ? [] : ['it did not close in good order'],
    ...toll.total < faults ? [`only ${toll.total} faults of ${faults} (${toll.missed.join('; ')})`] : [],
    ...journal.counts.acknowledged < acknowledged ? [`only ${journal.counts.acknowledged} acknowledged operations of ${acknowledged}`] : [],
    ...slowest > recoveryMillis ? [`it took ${Math.round(slowest)} ms to serve again after the database was back`] : []
  ]
}

/** The numbers of a run, one line each. */
export function describe (result: CrashResult): string {
  const { seconds, journal, toll, verdict: { lost, ghosts, halves }, findings, looked } = result
  const { acknowledged, refused, unknown } = journal.counts
  const words = (counts: ReadonlyMap<string, number>): string =>
    [...counts].sort(([, one], [, other]) => other - one).map(([name, count]) => `${count} × ${name}`).join(', ')
  return [
    `${Math.round(seconds)} s, ${toll.total} faults: ${words(toll.struck)}`,
    ...toll.missed.length > 0 ? [`faults that found nothing to strike: ${toll.missed.length}`] : [],
    `operations: ${acknowledged} acknowledged, ${refused} refused (${journal.count('orphan', 'refused')} at COMMIT by a deferred constraint, ${journal.count('swallowed', 'refused')} for a swallowed error), ${unknown} unknown`,
    `replies: ${words(journal.reasons)}`,
    `lost ${byKind(lost)}, ghosts ${byKind(ghosts)}, halves ${byKind(halves)}; ${findings.length} of ${looked} looked up at once were not there`,
    `ended by itself ${result.crashes.length}, without an answer ${result.hung}, idle in transaction ${result.idleInTransaction}, connections leaked ${result.leaked}`,
    ...Object.entries(toll.recoveries).map(([what, millis]) => `served again after the ${what} was back: ${spread(millis)}`)
  ].join('\n')
}

function some (list: readonly string[], what: string): string[] {
  if (list.length === 0) return []
  return [`${list.length} ${what}: ${list.slice(0, 5).join('; ')}${list.length > 5 ? '; …' : ''}`]
}

/** The number of names, and of each kind: the first word of a name. */
function byKind (names: readonly string[]): string {
  const kinds = new Set(names.map((name) => name.split(' ', 1).join()))
  return kinds.size === 0 ? '0' : `${names.length} (${[...kinds].join(', ')})`
}

function spread (millis: readonly number[]): string {
  if (millis.length === 0) return 'never tried'
  const sorted = [...millis].sort((one, other) => one - other)
  return `median ${Math.round(sorted[sorted.length >> 1] ?? 0)} ms, longest ${Math.round(sorted.at(-1) ?? 0)} ms, of ${sorted.length}`
}
