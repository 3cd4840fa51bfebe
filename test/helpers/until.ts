import { setImmediate as turn } from 'node:timers/promises'

/** Resolves as soon as a condition holds, for what tells nobody when it happens; the test's own time limit ends the wait. */
export async function until (condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!await condition()) await turn()
}
