import { setTimeout as wait } from 'node:timers/promises'

/** The pauses between attempts: each is twice as long as the one before, up to the longest. */
export interface Backoff {
  readonly firstMillis: number
  readonly longestMillis: number
  /**
   * The random part of a pause, so that two programs that collided do not collide again: 1 is full jitter.
   * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
   */
  readonly jitter: number
}

/** The length of a pause, in milliseconds; the first repetition is 1. */
export function pauseMillis ({ firstMillis, longestMillis, jitter }: Backoff, repetition: number): number {
  return Math.min(firstMillis * 2 ** (repetition - 1), longestMillis) * (1 - jitter * Math.random())
}

/** Waits before a repetition; the first one is 1. */
export async function pauseBefore (repetition: number, backoff: Backoff): Promise<void> {
  await wait(pauseMillis(backoff, repetition))
}
