import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'

/** The condition is checked in every turn of the loop for so long, in milliseconds, and then less often, to free the processor. */
const eagerMillis = 50

/** Resolves as soon as a condition holds, for conditions without an event. The test's own time limit ends the wait. */
export async function until (condition: () => boolean | Promise<boolean>): Promise<void> {
  const started = performance.now()
  while (!await condition()) {
    if (performance.now() - started < eagerMillis) await turn()
    else await wait(5)
  }
}
