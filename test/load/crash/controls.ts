import { plant } from '../../mutants/plant.js'
import { crashRun } from './crash-run.js'
import { astray, unreplicated } from './fail-over-faults.js'
import type { CrashOptions, CrashResult } from './crash-run.js'
import type { Mutant } from '../../mutants/plant.js'

/** A server that breaks a promise, which the run must detect. */
export interface Control {
  readonly title: string
  readonly options?: Pick<CrashOptions, 'subject' | 'commit' | 'standby'>
  /** The bugs in a copy of the project. */
  readonly mutants?: readonly Mutant[]
  /** The only fault that reveals the bug, if there is only one. */
  readonly fault?: string
  /** The duration of the run, if the bug shows only when the rows are counted. */
  readonly seconds?: number
}

/** The longest time in which a broken server must be detected. */
const longestSeconds = 60

const transaction = 'src/session/transaction/transaction.ts'

const tagUnread: Mutant = {
  title: 'believes any answer to COMMIT',
  file: transaction,
  find: "result?.command === 'COMMIT'",
  replace: 'result !== undefined'
}

const failureForgotten: Mutant = {
  title: 'forgets that a statement has failed',
  file: transaction,
  find: "return this.#connection?.status === 'E'",
  replace: 'return false'
}

const unsentForgotten: Mutant = {
  title: 'forgets that a statement never left',
  file: transaction,
  find: "statement.kind !== 'read'",
  replace: 'false'
}

const hookForgotten: Mutant = {
  title: 'repeats a route without what its hook has written',
  file: 'plugins/request/retry-handler.ts',
  find: 'if (isUsed === true || attempt.isShared) {',
  replace: 'if (attempt.isShared) {'
}

const auditApart: Mutant = {
  title: 'a hook writes outside the transaction of its request',
  file: 'test/load/crash/hook-routes.ts',
  find: 'await request.repo(lefts)',
  replace: 'await request.server.db.repo(lefts)'
}

const hookUncalled: Mutant = {
  title: 'does not call the hook of a repository',
  file: 'src/repository/write/insert-pipeline.ts',
  find: 'for (const row of created) await hooks.afterCreate(row)',
  replace: ''
}

const endUnconfirmed: Mutant = {
  title: 'lets the last bytes of a stream go though COMMIT has failed',
  file: 'plugins/request/held-back.ts',
  find: 'this.#options.commit().then(',
  replace: 'this.#options.commit().catch(() => {}).then('
}

const goingOn: Mutant = {
  title: 'does not see that a handler goes on behind its stream',
  file: 'plugins/request/nothing-follows.ts',
  find: 'if (!session.isBusy && session.asked === asked) return',
  replace: 'if (asked >= 0) return'
}

const standbyBelieved: Mutant = {
  title: 'reads what a standby refuses to say as "was not saved"',
  file: 'src/session/transaction/commit-status.ts',
  find: 'answered(counts ? answer : undefined)',
  replace: "answered(counts ? answer : { status: 'aborted' } as Answer)"
}

const standbyForgotten: Mutant = {
  title: 'believes that what is committed cannot be lost with its server',
  file: 'src/session/transaction/commit-status.ts',
  find: "pg_logical_emit_message(true, 'fastify-data-access', ''::text)",
  replace: 'null'
}

/** The controls; each breaks one promise. */
export const controls: readonly Control[] = [
  { title: "commit: 'onResponse'", options: { commit: 'onResponse' } },
  // Needs a middleman that hides failures: without one, the status of the transaction shows the failure before COMMIT is sent.
  { title: 'the tag of COMMIT is not read', mutants: [tagUnread], fault: 'failed transactions said to be well' },
  // Each of the two checks would catch the other's bug.
  { title: 'the first failure is forgotten, and the tag not read', mutants: [failureForgotten, tagUnread] },
  { title: 'a statement that never left is forgotten', mutants: [unsentForgotten] },
  { title: 'a route is repeated without what its hook has written', mutants: [hookForgotten] },
  { title: "a hook writes outside of its request's transaction", mutants: [auditApart], seconds: 10 },
  { title: 'the hook of a repository is not called', mutants: [hookUncalled] },
  { title: 'the end of a stream does not wait for COMMIT', mutants: [endUnconfirmed] },
  { title: 'a handler goes on behind its stream', mutants: [goingOn] },
  { title: 'a standby is believed', options: { standby: 'synchronous' }, mutants: [standbyBelieved], fault: astray, seconds: 8 },
  {
    title: 'a commit that waits for the standby is believed',
    options: { standby: 'synchronous' },
    mutants: [standbyForgotten],
    fault: unreplicated,
    seconds: 15
  },
  { title: 'the standby is asynchronous', options: { standby: 'asynchronous' }, fault: unreplicated, seconds: 8 },
  { title: '@fastify/postgres, transact()', options: { subject: '@fastify/postgres' } },
  { title: 'drizzle-orm, db.transaction()', options: { subject: 'drizzle-orm' } }
]

/** Runs a control until it is detected; resolves with the reason, or with undefined if it was not detected. */
export async function tryControl ({ options, mutants, fault, seconds = longestSeconds }: Control, seed: number): Promise<string | undefined> {
  const planted = mutants && await plant(mutants)
  try {
    const result = await crashRun({
      ...options,
      ...planted && { folder: planted.folder },
      ...fault !== undefined && { fault },
      seed,
      seconds,
      endsWithFinding: true
    })
    return whatGaveItAway(result)
  } finally {
    await planted?.remove()
  }
}

/** The first finding of the run, or else of the final count of rows. */
function whatGaveItAway ({ findings: [finding], crashes: [crash], foundAfterSeconds, seconds, verdict }: CrashResult): string | undefined {
  const seen = finding === undefined ? crash && `it ended by itself: ${crash.words}` : `${finding.kind}: ${finding.text}`
  if (seen !== undefined) return `after ${foundAfterSeconds?.toFixed(1)} s, ${seen}`
  const [counted] = [
    ...verdict.lost.map((name) => `lost: ${name}`),
    ...verdict.ghosts.map((name) => `ghost: ${name}`),
    ...verdict.halves.map((name) => `half: ${name}`)
  ]
  return counted && `after ${seconds.toFixed(1)} s, when the rows were counted, ${counted}`
}

/** Tries all of them, and resolves with the exit code: 0 if each was detected. */
export async function tryControls (seed: number): Promise<number> {
  let missed = 0
  for (const control of controls) {
    const how = await tryControl(control, seed)
    if (how === undefined) missed++
    console.log(`${how === undefined ? 'NOT FOUND OUT' : 'found out'}: ${control.title}\n    ${how ?? `within ${control.seconds ?? longestSeconds} s`}`)
  }
  return missed === 0 ? 0 : 1
}
