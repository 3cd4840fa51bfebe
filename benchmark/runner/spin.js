/** How much work one spin is: about 10 ms on a machine of 2024. */
const turns = 4_000_000

/**
 * Microseconds of processor time that a fixed piece of work takes now. On a shared machine the same work takes more or less from one second to the next;
 * processor times of different seconds are compared by what this work took beside them.
 */
export function spinMicros () {
  const before = process.cpuUsage()
  let state = 1
  for (let turn = 0; turn < turns; turn++) state = Math.imul(state ^ (state >>> 15), turn | 1)
  const { user, system } = process.cpuUsage(before)
  // The result is used, or else the loop might be left out.
  return user + system + (state & 0)
}
