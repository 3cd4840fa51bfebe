import t from 'tap'
import { Refusals } from '../../../src/pool/refusals.js'
import { caller } from '../../helpers/pool.js'
import type { Cancel } from '../../../src/pool/connection-source.js'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Adds so many requests; the numbers of the refused ones, and their errors. */
function addTo (refusals: Refusals, count: number): { refused: number[], errors: Error[], cancels: Cancel[] } {
  const [refused, errors]: [number[], Error[]] = [[], []]
  const cancels = Array.from({ length: count }, (_, number) => refusals.add({
    caller,
    lend () {},
    refuse: (error) => {
      refused.push(number)
      errors.push(error)
    }
  }))
  return { refused, errors, cancels }
}

t.test('refuses four in a turn of the event loop, in their order, each with an error of its own', async (t) => {
  const { refused, errors } = addTo(new Refusals(), 10)
  t.same(refused, [0, 1, 2, 3], 'at once')
  await turn()
  t.same(refused, [0, 1, 2, 3, 4, 5, 6, 7])
  await turn()
  t.same(refused, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.equal(new Set(errors).size, 10)
  for (const error of errors) t.match(error, { code: 'DB_POOL_TIMEOUT', stack: 'PoolTimeoutError: The database is busy: try again' })
})

t.test('those that come later wait behind those that are due, and after a quiet turn none waits', async (t) => {
  const refusals = new Refusals()
  const first = addTo(refusals, 7)
  await turn()
  const second = addTo(refusals, 3)
  t.same(first.refused, [0, 1, 2, 3, 4, 5, 6])
  t.same(second.refused, [0], 'the fourth of the turn')
  await turn()
  await turn()
  t.same(second.refused, [0, 1, 2])
  t.same(addTo(refusals, 4).refused, [0, 1, 2, 3])
})

t.test('a request that is cancelled is refused with that reason, once', async (t) => {
  const { refused, errors, cancels } = addTo(new Refusals(), 6)
  cancels[5]?.(new Error('gone'))
  t.same(refused, [0, 1, 2, 3, 5])
  t.match(errors[4], { message: 'gone' })
  cancels[5]?.(new Error('twice'))
  cancels[0]?.(new Error('too late'))
  await turn()
  cancels[4]?.(new Error('too late'))
  await turn()
  t.same(refused, [0, 1, 2, 3, 5, 4])
})
