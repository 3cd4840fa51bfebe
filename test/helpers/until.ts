import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'

/** So long, in milliseconds, every turn of the loop asks; what takes longer leaves the processor to those who work on it. */
const eagerMillis = 50

/** Resolves as soon as a condition holds, for what tells nobody when it happens; the test's own time limit ends the wait. */
export async function until (condition: () => boolean | Promise<boolean>): Promise<void> {
  const started = performance.now()
  while (!await condition()) {
    if (performance.now() - started < eagerMillis) await turn()
    else await wait(5)
  }
}
