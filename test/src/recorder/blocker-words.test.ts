import t from 'tap'
import { deadlockWords, holderWords, lockWords } from '../../../src/recorder/blocker-words.js'
import type { Holder, Process } from '../../../src/activity/activity.js'

const holder: Holder = { pool: 'default', route: 'GET /a', heldMillis: 1000, state: 'running', texts: [], processId: 1, stack: null }
const process: Process = { processId: 2, route: undefined, application: '', state: 'active', text: '', millis: 1500 }
const nothing = () => undefined

t.test('names the routes that hold connections, those with the most first', async (t) => {
  const others = [{ ...holder, route: 'GET /b', heldMillis: 500, texts: ['select $1', 'select $2'] }, { ...holder, route: 'GET /b', processId: null }]

  t.equal(holderWords([holder, ...others], nothing), 'GET /b (2 connections, the longest for 0.5 s, running: select $1; select $2), GET /a (1 connection for 1.0 s, running)')
  t.equal(holderWords([{ ...holder, processId: null }], nothing), 'GET /a (1 connection for 1.0 s, running)')
  t.equal(holderWords([holder], () => ({ route: 'GET /a', text: 'x'.repeat(300) })), `GET /a (1 connection for 1.0 s, running: ${'x'.repeat(200)} …)`)
  t.equal(holderWords([], nothing), null)
})

t.test('names at most five, and how many there are besides', async (t) => {
  const many = Array.from({ length: 8 }, (_, count) => ({ ...holder, route: `GET /${count}` }))

  t.match(holderWords(many, nothing), /^GET \/0 .*, GET \/4 \([^)]+\), and 3 more$/)
})

t.test('names processes of other programs by their application, if they have told it', async (t) => {
  const blockings = [{ waiting: { ...process, processId: 1 }, blockers: [process, { ...process, application: 'psql' }, { ...process, route: 'GET /a', text: 'select 1' }] }]

  const both = 'another program (process 2, active for 1.5 s), psql (process 2, active for 1.5 s), GET /a (process 2, active for 1.5 s: select 1)'
  t.equal(lockWords(blockings, 1), both)
  t.equal(lockWords(blockings, 2), null)
  t.equal(lockWords(null, 1), null)
})

t.test('names all processes of a deadlock but the victim', async (t) => {
  const edges = [{ waiting: 1, blocker: 2 }, { waiting: 2, blocker: 3 }, { waiting: 3, blocker: 1 }]

  const find = (processId: number) => processId === 2 ? { route: 'GET /b', text: 'select $1' } : undefined
  t.equal(deadlockWords(edges, 1, find), 'GET /b (process 2: select $1), another program (process 3)')
  t.equal(deadlockWords([], 1, find), null)
})
