import fc from 'fast-check'
import t from 'tap'
import { ExpectedWait } from '../../../src/pool/expected-wait.js'
import type { CrowdedSlots } from '../../../src/pool/expected-wait.js'

/** The longest wait. */
const timeoutMillis = 10_000

/** The releases that the expectation is made of, for a pool of at most 32 connections. */
const memory = 64

/** An expectation for a pool of `max` connections, all of them in use, and the slots whose silence a test sets. */
function expectation (max: number) {
  const slots: CrowdedSlots & { silentMillis: number } = { limit: max, silentMillis: 0 }
  const expected = new ExpectedWait(slots, { max, timeoutMillis })
  /** Connections are released, each so many milliseconds after the one before it. */
  const release = (...times: readonly number[]): void => {
    for (const millis of times) {
      slots.silentMillis = millis
      expected.released(Infinity)
    }
    slots.silentMillis = 0
  }
  return { slots, expected, release }
}

const sizes = fc.integer({ min: 1, max: 32 })
const crowds = fc.integer({ min: 0, max: 1_000_000 })
const times = fc.double({ min: 0, max: 60_000, noNaN: true })

t.test('before anything was released, nobody is refused until nothing is released for the longest wait', async () => {
  fc.assert(fc.property(sizes, crowds, fc.double({ min: 0, max: timeoutMillis, noNaN: true }), (max, ahead, silent) => {
    const { slots, expected } = expectation(max)
    slots.silentMillis = silent
    return !expected.isTooLong(ahead)
  }))
})

t.test('as many as there are connections may wait, whatever was seen', async () => {
  fc.assert(fc.property(sizes, fc.array(times), times, (max, seen, silent) => {
    const { slots, expected, release } = expectation(max)
    release(...seen)
    slots.silentMillis = silent
    return !expected.isTooLong(max - 1)
  }))
})

t.test('expects the mean time between the latest releases for each of those ahead, and one more', async (t) => {
  fc.assert(fc.property(sizes, fc.array(times), fc.double({ min: 0.01, max: 1000, noNaN: true }), (max, before, millis) => {
    const { expected, release } = expectation(max)
    release(...before)
    release(...Array<number>(1000).fill(millis))
    const ratio = expected.millis(99) / (100 * millis)
    return ratio > 0.9 && ratio < 1.1
  }))
  const { expected, release } = expectation(4)
  release(...Array.from({ length: 400 }, (_, position) => position % 4 === 0 ? 80 : 0))
  const mean = expected.millis(0)
  t.ok(mean > 15 && mean < 25, `four connections that are released together every 80 ms: ${mean}`)
})

t.test('expects no less behind more, after a longer silence, and after slower releases', async () => {
  fc.assert(fc.property(sizes, fc.array(times), crowds, crowds, times, (max, seen, ahead, more, silent) => {
    const [quick, slow] = [expectation(max), expectation(max)]
    quick.release(...seen)
    slow.release(...seen.map((millis) => millis * 2))
    const wait = quick.expected.millis(ahead)
    const behindMore = quick.expected.millis(ahead + more)
    quick.slots.silentMillis = silent
    return behindMore >= wait && quick.expected.millis(ahead) >= wait && slow.expected.millis(ahead) >= wait
  }))
})

t.test('counts the time only from when somebody waits', async (t) => {
  const { slots, expected } = expectation(1)
  slots.silentMillis = 5000
  expected.released(5)
  slots.silentMillis = 0
  t.equal(expected.millis(0), 1, 'the first time counts one of five')
})

t.test('one slow statement in a pool of one keeps nobody away who would be served', async (t) => {
  const { slots, expected, release } = expectation(1)
  slots.silentMillis = 9000
  t.notOk(expected.isTooLong(1000), 'while it runs')
  release(9000)
  t.notOk(expected.isTooLong(3), 'after it: the next may be quick')
  release(...Array<number>(memory).fill(1))
  t.notOk(expected.isTooLong(50), 'after quick ones')
})

t.test('a pool that releases nothing for the longest wait refuses all but as many as it has connections, and accepts a long queue again soon', async () => {
  const silences = fc.double({ min: timeoutMillis + 1, max: 10 * timeoutMillis, noNaN: true })
  fc.assert(fc.property(sizes, silences, fc.double({ min: 0.01, max: 5, noNaN: true }), (max, silent, quick) => {
    const { slots, expected, release } = expectation(max)
    release(...Array<number>(1000).fill(quick))
    slots.silentMillis = silent
    const isRefused = expected.isTooLong(max)
    // A waiter has waited at most until its deadline, so no silence counts more.
    expected.released(timeoutMillis)
    release(...Array<number>(memory).fill(quick))
    return isRefused && !expected.isTooLong(100)
  }))
})
