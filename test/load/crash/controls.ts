import { plant } from '../../mutants/plant.js'
import { crashRun } from './crash-run.js'
import { faults } from './faults.js'
import type { CrashOptions } from './crash-run.js'
import type { Mutant } from '../../mutants/plant.js'

/** A server that breaks a promise, and must be found out. */
export interface Control {
  readonly title: string
  readonly options?: Pick<CrashOptions, 'subject' | 'commit'>
  /** The bugs in a copy of the project. */
  readonly mutants?: readonly Mutant[]
  /** The only fault that tells, where it is one. */
  readonly fault?: string
}

/** How long a broken server may go unnoticed. */
const seconds = 60

const transaction = 'src/session/transaction.ts'

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

/** Each breaks one promise. */
export const controls: readonly Control[] = [
  { title: "commit: 'onResponse'", options: { commit: 'onResponse' } },
  // Seen through a middleman that hides failures: without one, the status of the transaction tells before COMMIT is sent.
  { title: 'the tag of COMMIT is not read', mutants: [tagUnread], fault: 'failed transactions said to be well' },
  // Each is the other's net.
  { title: 'the first failure is forgotten, and the tag not read', mutants: [failureForgotten, tagUnread] },
  { title: 'a statement that never left is forgotten', mutants: [unsentForgotten] },
  { title: '@fastify/postgres, transact()', options: { subject: '@fastify/postgres' } },
  { title: 'drizzle-orm, db.transaction()', options: { subject: 'drizzle-orm' } }
]

/** Runs one until it is found out; resolves with how, or with undefined when nobody noticed. */
export async function tryControl ({ options, mutants, fault }: Control, seed: number): Promise<string | undefined> {
  const planted = mutants && await plant(mutants)
  try {
    const { findings: [finding], crashes: [crash], foundAfterSeconds } = await crashRun({
      ...options,
      ...planted && { folder: planted.folder },
      ...fault !== undefined && { faults: faults.filter(({ title }) => title === fault) },
      seed,
      seconds,
      endsWithFinding: true
    })
    const what = finding === undefined ? crash && `it ended by itself: ${crash.words}` : `${finding.kind}: ${finding.text}`
    return what === undefined ? undefined : `after ${foundAfterSeconds?.toFixed(1)} s, ${what}`
  } finally {
    await planted?.remove()
  }
}

/** Tries all of them, and resolves with the exit code: 0 when each was found out. */
export async function tryControls (seed: number): Promise<number> {
  let missed = 0
  for (const control of controls) {
    const how = await tryControl(control, seed)
    if (how === undefined) missed++
    console.log(`${how === undefined ? 'NOT FOUND OUT' : 'found out'}: ${control.title}\n    ${how ?? `within ${seconds} s`}`)
  }
  return missed === 0 ? 0 : 1
}
