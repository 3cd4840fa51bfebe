import type { JobsResult } from './jobs-run.js'

/** The failures of a run: broken promises, and counts that were not reached. Empty if all is well. */
export function failuresOf ({ verdict, journal, struck, hung, left }: JobsResult, bounds: { readonly jobs: number, readonly faults: number }): string[] {
  const { lost, ghosts, halves, twice, otherIds, handled } = verdict
  const faults = [...struck.values()].reduce((sum, count) => sum + count, 0)
  return [
    ...Object.entries({ lost, ghosts, halves, twice, otherIds }).flatMap(([what, list]) => list.length === 0
      ? []
      : [`${list.length} ${what}: ${list.slice(0, 5).join('; ')}`]),
    ...left === 0 ? [] : [`${left} jobs were never handled`],
    ...hung === 0 ? [] : [`${hung} requests had no answer`],
    ...handled >= bounds.jobs ? [] : [`only ${handled} jobs of ${bounds.jobs}`],
    ...faults >= bounds.faults ? [] : [`only ${faults} faults of ${bounds.faults}`],
    ...journal.counts.refused > 0 ? [] : ['nothing was refused']
  ]
}

/** The numbers of a run, one line each. */
export function describe ({ library, seconds, journal, verdict, struck, crashes, hung, left }: JobsResult): string {
  const { acknowledged, refused, unknown } = journal.counts
  const { lost, ghosts, halves, twice, otherIds, handled, deliveredAgain } = verdict
  const words = (counts: ReadonlyMap<string, number>): string =>
    [...counts].sort(([, one], [, other]) => other - one).map(([name, count]) => `${count} × ${name}`).join(', ')
  return [
    `${library}: ${Math.round(seconds)} s, ${words(struck)}`,
    `requests: ${acknowledged} acknowledged, ${refused} refused, ${unknown} unknown`,
    `replies: ${words(journal.reasons)}`,
    `jobs: ${handled} handled, ${deliveredAgain} of them delivered again under the same id, ${left} left`,
    `lost ${lost.length}, ghosts ${ghosts.length}, halves ${halves.length}, handled twice ${twice.length}, by a job of another id ${otherIds.length}`,
    `without an answer ${hung}, processes that ended by themselves ${crashes.length}: ${[...new Set(crashes)].slice(0, 4).join('; ')}`
  ].join('\n')
}
