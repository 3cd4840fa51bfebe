import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { findCommitStatus } from '../../../../src/session/transaction/commit-status.js'
import { recordingLogger } from '../../../helpers/logger.js'
import type { AcquireRequest } from '../../../../src/pool/acquire-queue.js'
import type { Cancel, ConnectionSource, LentConnection } from '../../../../src/pool/connection-source.js'

type Acquire = (request: AcquireRequest<LentConnection>) => Cancel

const identity = '1234 4711 00000001 0/1 life'

/** Looks up a commit over a scripted pool. */
const ask = (acquire: Acquire, timeoutMillis: number): ReturnType<typeof findCommitStatus> =>
  findCommitStatus(identity, { pool: { acquire } as ConnectionSource, caller: { logger: recordingLogger(), label: 'test' }, timeoutMillis })

/** The number of timers that keep the process alive. */
const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

t.test('while the database is unreachable the query is repeated, with pauses', async (t) => {
  let asked = 0
  const fate = await ask(({ refuse }) => {
    asked++
    refuse(new Error('away'))
    return () => {}
  }, 300)
  t.equal(fate, undefined)
  t.ok(asked > 1, 'repeated')
  t.ok(asked <= 7, `after a pause each time, not ${asked} times`)
})

t.test('a silent connection is destroyed in time, whether it was lent at once or later', async (t) => {
  for (const moment of ['at once', 'later']) {
    const lent = { ended: 0 }
    const fate = await ask(({ lend }) => {
      const connection = silent(lent)
      if (moment === 'at once') lend(connection)
      else queueMicrotask(() => lend(connection))
      return () => {}
    }, 100)
    t.same([fate, lent.ended], [undefined, 1], moment)
  }
})

t.test('the place in the queue of the pool is given up in time', async (t) => {
  const reasons: string[] = []
  const fate = await ask(({ refuse }) => (error) => { reasons.push(error.message); refuse(error) }, 100)
  t.equal(fate, undefined)
  t.same(reasons, ['No answer came in time'])
})

t.test('an answer releases the connection, and leaves no timer that keeps the process alive', async (t) => {
  const before = timers()
  let released = 0
  const run = async (): Promise<unknown> => ({ result: { rows: [{ status: 'committed', system: '4711', timeline: '00000001', reached: true, life: 'life' }] } })
  const connection = { run, leaveTransaction: () => {}, release: () => { released++ } } as unknown as LentConnection
  t.equal(await ask(({ lend }) => { lend(connection); return () => {} }, 600_000), 'committed')
  t.equal(released, 1)
  await wait(0)
  t.equal(timers(), before)
})

/** A connection that answers only when it is destroyed. */
function silent (lent: { ended: number }): LentConnection {
  let end = (): void => {}
  const run = (): Promise<unknown> => new Promise((resolve) => { end = () => resolve({ error: new Error('ended'), lost: true }) })
  return { run, leaveTransaction: () => {}, destroy: () => { lent.ended++; end() }, release: () => {} } as unknown as LentConnection
}
