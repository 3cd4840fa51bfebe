import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:net'
import fc from 'fast-check'
import pg from 'pg'
import t from 'tap'
import { DirectMessages } from '../../../src/pg/direct-messages.js'
import { DirectSocket } from '../../../src/pg/direct-socket.js'
import type { AddressInfo, Socket } from 'node:net'

/** What both readers tell: the group's own messages, and the events of everything else. */
type Told = unknown[]

interface Message {
  readonly kind: string
  readonly body: Buffer
}

const int16 = (number: number): Buffer => { const bytes = Buffer.alloc(2); bytes.writeInt16BE(number); return bytes }
const int32 = (number: number): Buffer => { const bytes = Buffer.alloc(4); bytes.writeInt32BE(number); return bytes }
const text = (value: string): Buffer => Buffer.from(`${value}\0`)

function rowOf (texts: ReadonlyArray<string | null>): Message {
  const columns = texts.flatMap((value) => value === null ? [int32(-1)] : [int32(Buffer.byteLength(value)), Buffer.from(value)])
  return { kind: 'D', body: Buffer.concat([int16(texts.length), ...columns]) }
}

const bytesOf = ({ kind, body }: Message): Buffer => Buffer.concat([Buffer.from(kind), int32(body.length + 4), body])

const texts = fc.array(fc.option(fc.oneof(
  fc.string({ maxLength: 6 }), fc.string({ unit: 'binary', maxLength: 6 }), fc.string({ maxLength: 300 })
)), { maxLength: 9 })
const messages: fc.Arbitrary<Message> = fc.oneof(
  { weight: 4, arbitrary: texts.map(rowOf) },
  fc.constantFrom('INSERT 0 1', 'INSERT 0 2', 'INSERT 0 10', 'COMMIT', 'CREATE TABLE', 'SELECT 1').map((tag) => ({ kind: 'C', body: text(tag) })),
  fc.constantFrom('1', '2', '3', 'n', 'I').map((kind) => ({ kind, body: Buffer.alloc(0) })),
  fc.constant({ kind: 'T', body: Buffer.concat([int16(1), text('id'), int32(0), int16(0), int32(23), int16(4), int32(-1), int16(0)]) }),
  fc.constant({ kind: 'N', body: Buffer.concat([Buffer.from('M'), text('a notice'), Buffer.alloc(1)]) }),
  fc.constant({ kind: 'A', body: Buffer.concat([int32(7), text('channel'), text('payload')]) }),
  fc.constant({ kind: 'S', body: Buffer.concat([text('TimeZone'), text('UTC')]) }),
  fc.constant({ kind: 'd', body: Buffer.from('a line\n') })
)
const error: Message = { kind: 'E', body: Buffer.concat([Buffer.from('C'), text('22012'), Buffer.from('M'), text('division by zero'), Buffer.alloc(1)]) }
const ready = (status: string): Message => ({ kind: 'Z', body: Buffer.from(status) })

/** Answers to several groups, or to queries of other programs: each ends with ReadyForQuery, perhaps behind an error. */
interface Answer {
  readonly messages: readonly Message[]
  readonly isOurs: boolean
}

const answer = fc.record({ before: fc.array(messages, { maxLength: 5 }), fails: fc.boolean(), status: fc.constantFrom('I', 'T', 'E'), isOurs: fc.boolean() })
const answers = fc.array(answer, { minLength: 1, maxLength: 4 })
  .map((all) => all.map(({ before, fails, status, isOurs }): Answer => ({ messages: [...before, ...fails ? [error] : [], ready(status)], isOurs })))

const events = [
  'dataRow', 'commandComplete', 'parseComplete', 'bindComplete', 'closeComplete', 'noData', 'readyForQuery',
  'emptyQuery', 'rowDescription', 'notice', 'notification', 'parameterStatus', 'copyData', 'errorMessage'
]

/** pg's own connection; its declarations lack what its client calls. */
function connectionOf (stream: EventEmitter): EventEmitter & { attachListeners (stream: EventEmitter): void } {
  return new pg.Connection({ stream } as object) as never
}

/**
 * Reads chunks, as pg's own connection does. With `isDirect` the groups that are ours wait for their answers, one after the other, and are
 * told what belongs to them. Everything is told with the place of the answer that it belongs to.
 */
function read (chunks: readonly Buffer[], ours: readonly boolean[], isDirect: boolean): Told {
  const stream = new EventEmitter()
  const told = tell(stream, ours, isDirect)
  for (const chunk of chunks) stream.emit('data', chunk)
  return told
}

/** What is told of a stream, from now on. */
function tell (stream: EventEmitter, ours: readonly boolean[], isDirect: boolean): Told {
  const told: Told = []
  const connection = connectionOf(stream)
  if (isDirect) DirectMessages.follow(connection)
  const direct = DirectMessages.of(connection)
  let place = 0
  direct?.tell({ confirmed: () => told.push('confirmed'), bound: () => told.push('bound') })
  const begin = (): void => {
    const own = place
    if (ours[own] === true) direct?.begin({ row: (texts) => told.push([own, 'row', ...texts]), completed: (tag) => told.push([own, 'completed', tag]) })
  }
  for (const event of events) {
    connection.on(event, (message) => {
      if (event === 'dataRow') told.push([place, 'row', ...message.fields])
      else if (event === 'commandComplete') told.push([place, 'completed', message.text])
      else if (event === 'bindComplete') told.push('bound')
      else if (event === 'parseComplete' || event === 'closeComplete') told.push('confirmed')
      else if (event !== 'noData') told.push([event, { ...message }])
      if (event !== 'readyForQuery') return
      place++
      begin()
    })
  }
  connection.attachListeners(stream)
  begin()
  return told
}

/** The bytes in pieces that end at these parts of the whole. */
function cut (bytes: Buffer, parts: readonly number[]): Buffer[] {
  const ends = [...parts.map((part) => Math.floor(part * bytes.length)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end)).filter(({ length }) => length > 0)
}

const parts = fc.array(fc.nat({ max: 999 }).map((thousandth) => thousandth / 1000), { maxLength: 12 })

t.test('a group is told what pg\'s own parser would tell, in the same order, however the answer is cut into pieces', async (t) => {
  fc.assert(fc.property(answers, parts, (answers, parts) => {
    const bytes = Buffer.concat(answers.flatMap(({ messages }) => messages).map(bytesOf))
    const ours = answers.map(({ isOurs }) => isOurs)
    t.strictSame(read(cut(bytes, parts), ours, true), read([bytes], ours, false))
  }), { numRuns: 2000 })
})

t.test('the same is told over a socket, which receives the next bytes into the same buffer', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  await fc.assert(fc.asyncProperty(answers, parts, async (answers, parts) => {
    const bytes = Buffer.concat(answers.flatMap(({ messages }) => messages).map(bytesOf))
    const ours = answers.map(({ isOurs }) => isOurs)
    const socket = new DirectSocket()
    const told = tell(socket, ours, true)
    socket.connect(port, '127.0.0.1')
    const [peer] = await once(server, 'connection') as [Socket]
    peer.setNoDelay()
    for (const chunk of cut(bytes, parts)) await new Promise((resolve) => { peer.write(chunk, resolve) })
    peer.end()
    await once(socket, 'close')
    t.strictSame(told, read([bytes], ours, false))
  }), { numRuns: 200 })
})

t.test('each byte may come alone', async (t) => {
  const row = rowOf(['äöü', null, '', 'a longer text', '\u{1F600}', '1'])
  const bytes = Buffer.concat([row, { kind: 'C', body: text('SELECT 1') }, error, ready('E')].map(bytesOf))
  t.strictSame(read(Array.from(bytes, (byte) => Buffer.of(byte)), [true], true), read([bytes], [true], false))
})

t.test('a row of a megabyte in pieces of a thousand bytes is copied a few times, not once for each piece', async (t) => {
  const long = 'x'.repeat(1_000_000)
  const bytes = Buffer.concat([rowOf([long, 'é']), ready('I')].map(bytesOf))
  const chunks = Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, index) => bytes.subarray(index * 1000, (index + 1) * 1000))
  const { allocUnsafe } = Buffer
  let copies = 0
  Buffer.allocUnsafe = (size) => { copies++; return allocUnsafe(size) }
  t.teardown(() => { Buffer.allocUnsafe = allocUnsafe })
  t.strictSame(read(chunks, [true], true), [[0, 'row', long, 'é'], ['readyForQuery', { name: 'readyForQuery', length: 5, status: 'I' }]])
  t.ok(copies < 15, `${copies} buffers`)
})

t.test('a program that reads every message of a connection goes on to get each', async (t) => {
  const stream = new EventEmitter()
  const connection = connectionOf(stream)
  DirectMessages.follow(connection)
  connection.attachListeners(stream)
  const names: string[] = []
  connection.on('message', ({ name }) => names.push(name))
  DirectMessages.of(connection)?.begin({ row: () => t.fail('the group gets its row by pg'), completed: () => t.fail('and its tag') })
  stream.emit('data', Buffer.concat([rowOf(['1']), { kind: 'C', body: text('SELECT 1') }, ready('I')].map(bytesOf)))
  t.strictSame(names, ['dataRow', 'commandComplete', 'readyForQuery'])
})

t.test('a connection that tries another socket begins with its first byte', async (t) => {
  const connection = connectionOf(new EventEmitter())
  DirectMessages.follow(connection)
  const [first, second] = [new EventEmitter(), new EventEmitter()]
  const statuses: string[] = []
  connection.on('readyForQuery', ({ status }) => statuses.push(status))
  connection.attachListeners(first)
  first.emit('data', bytesOf(ready('T')).subarray(0, 3))
  connection.attachListeners(second)
  second.emit('data', bytesOf(ready('I')))
  t.strictSame(statuses, ['I'])
})

t.test('what a server has sent behind its last message for a connection that leaves it is nobody\'s', async (t) => {
  for (const last of [ready('T'), error]) {
    const connection = connectionOf(new EventEmitter())
    DirectMessages.follow(connection)
    const [first, second] = [new EventEmitter(), new EventEmitter()]
    const seen: string[] = []
    for (const event of ['readyForQuery', 'errorMessage']) {
      connection.on(event, () => {
        if (seen.push(event) === 1) connection.attachListeners(second)
      })
    }
    connection.attachListeners(first)
    first.emit('data', Buffer.concat([bytesOf(last), bytesOf(error), bytesOf(ready('T')).subarray(0, 3)]))
    second.emit('data', bytesOf(ready('I')))
    t.strictSame(seen, [last === error ? 'errorMessage' : 'readyForQuery', 'readyForQuery'])
  }
})

t.equal(DirectMessages.of(new EventEmitter()), undefined, 'a connection of another program has none')

t.test('a query of another program that follows a group behind a failed one gets its own rows', async (t) => {
  const first = Buffer.concat([error, ready('I'), rowOf(['2']), ready('I')].map(bytesOf))
  const second = Buffer.concat([rowOf(['3']), ready('I')].map(bytesOf))
  const ours = [true, true, false]
  t.strictSame(read([first, second], ours, true), read([Buffer.concat([first, second])], ours, false))
})
