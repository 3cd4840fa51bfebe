import { EventEmitter } from 'node:events'
import fc from 'fast-check'
import pg from 'pg'
import t from 'tap'
import { FrontendMessages } from '../../../../src/connection/exchange/frontend-messages.js'
import { prepareValue } from '../../../../src/pg/values.js'

/** The fields of a Bind message, read as PostgreSQL does. */
function readBind (bytes: Buffer): { name: string, formats: number[], values: Array<Buffer | null> } {
  t.equal(bytes.toString('latin1', 0, 1), 'B')
  t.equal(bytes.readInt32BE(1), bytes.length - 1, 'its length')
  let at = 6
  const end = bytes.indexOf(0, at)
  const name = bytes.toString('utf8', at, end)
  at = end + 1
  const int16 = (): number => { at += 2; return bytes.readInt16BE(at - 2) }
  const formats = Array.from({ length: int16() }, int16)
  const values = Array.from({ length: int16() }, () => {
    const length = bytes.readInt32BE(at)
    at += 4
    if (length === -1) return null
    at += length
    return bytes.subarray(at - length, at)
  })
  t.strictSame([int16(), int16()], [1, 0], 'all results as text')
  t.equal(at, bytes.length)
  return { name, formats, values }
}

t.test('values are sent unchanged: text in UTF-8, Buffers as bytes, null as NULL', (t) => {
  const messages = new FrontendMessages()
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme', maxLength: 200 }),
    fc.constant('é'.repeat(5000)),
    fc.constant('a'.repeat(70_000))
  )
  const value = fc.oneof(text, fc.uint8Array({ maxLength: 6000 }).map((bytes) => Buffer.from(bytes)), fc.constant(null))
  fc.assert(fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 60 }), fc.array(value, { maxLength: 30 }), (name, values) => {
    messages.bind(name, values)
    const read = readBind(messages.take())
    t.equal(read.name, name)
    t.strictSame(read.formats, values.map((value) => Buffer.isBuffer(value) ? 1 : 0))
    t.strictSame(read.values, values.map((value) => value === null ? null : Buffer.from(value as string)))
  }), { numRuns: 60 })
  t.end()
})

t.test('a cut buffer is not sent, and a taken one is not overwritten', (t) => {
  const messages = new FrontendMessages()
  messages.sync()
  const { length } = messages
  messages.query('select 1')
  messages.cut(length)
  const first = messages.take()
  messages.query('select 2')
  const second = messages.take()

  t.strictSame([...first], [0x53, 0, 0, 0, 4])
  t.equal(second.toString('latin1', 5, 13), 'select 2')
  t.equal(messages.length, 0)
  t.end()
})

/** The writing methods of pg's wire connection; missing from its type declarations. */
interface Writer {
  parse (message: { name: string, text: string }): void
  bind (message: { statement: string, values: readonly unknown[], valueMapper: (value: unknown) => unknown }): void
  describe (message: { type: 'P' }): void
  execute (message: object): void
  close (message: { type: 'S', name: string }): void
  sync (): void
  query (text: string): void
}

/** The bytes that pg itself writes. */
function writtenByPg (messages: readonly Message[]): Buffer {
  const written: Buffer[] = []
  const stream = Object.assign(new EventEmitter(), { writable: true, write: (bytes: Buffer) => written.push(Buffer.from(bytes)) })
  const writer = new pg.Connection({ stream } as object) as unknown as Writer
  for (const message of messages) {
    switch (message.kind) {
      case 'parse': writer.parse(message); break
      case 'bind': writer.bind({ statement: message.name, values: message.values, valueMapper: prepareValue }); break
      case 'describe': writer.describe({ type: 'P' }); break
      case 'execute': writer.execute({}); break
      case 'close': writer.close({ type: 'S', name: message.name }); break
      case 'sync': writer.sync(); break
      case 'query': writer.query(message.text); break
    }
  }
  return Buffer.concat(written)
}

function written (messages: readonly Message[], writer: FrontendMessages): Buffer {
  for (const message of messages) {
    switch (message.kind) {
      case 'parse': writer.parse(message.name, message.text); break
      case 'bind': writer.bind(message.name, message.values); break
      case 'describe': writer.describe(); break
      case 'execute': writer.execute(); break
      case 'close': writer.close(message.name); break
      case 'sync': writer.sync(); break
      case 'query': writer.query(message.text); break
    }
  }
  return writer.take()
}

interface Message {
  readonly kind: 'parse' | 'bind' | 'describe' | 'execute' | 'close' | 'sync' | 'query'
  readonly name: string
  readonly text: string
  readonly values: readonly unknown[]
}

t.test('every message equals that of pg, byte for byte', (t) => {
  const name = fc.string({ unit: 'grapheme', maxLength: 15 })
  const value = fc.oneof(
    fc.constantFrom(
      null,
      undefined,
      true,
      Infinity,
      NaN,
      -0
    ), fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme-ascii', maxLength: 100 }), fc.integer(), fc.double(), fc.bigInt(),
    fc.date({ noInvalidDate: true }), fc.uint8Array().map((bytes) => Buffer.from(bytes)), fc.uint8Array(), fc.json().map((text) => JSON.parse(text)),
    fc.array(fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constant(null)
    )), fc.string().map((text) => ({ toPostgres: () => text })), fc.constant({ toPostgres: () => undefined })
  )
  const message: fc.Arbitrary<Message> = fc.record({
    kind: fc.constantFrom('parse', 'bind', 'bind', 'describe', 'execute', 'close', 'sync', 'query'),
    name,
    text: fc.string({ unit: 'binary', maxLength: 300 }),
    values: fc.array(value, { maxLength: 20 })
  })
  const seed = Math.trunc(Math.random() * 2 ** 31)
  t.comment(`seed ${seed}`)
  const writer = new FrontendMessages()
  fc.assert(fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
    t.ok(written(messages, writer).equals(writtenByPg(messages)))
  }), { numRuns: 500, seed })
  t.end()
})
