/** The longest time that a timer of Node's takes, in seconds. */
const longestTimerSeconds = (2 ** 31 - 1) / 1000

/** Lets each connection live up to 10 % shorter or longer than the next, so that they are not all renewed at once. */
export function jittered (recycleSeconds: number): number {
  return Math.min(recycleSeconds * (0.9 + Math.random() * 0.2), longestTimerSeconds)
}
