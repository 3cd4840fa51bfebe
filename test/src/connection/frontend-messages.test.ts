import fc from 'fast-check'
import t from 'tap'
import { FrontendMessages } from '../../../src/connection/frontend-messages.js'

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
  t.equal(int16(), 0, 'all results as text')
  t.equal(at, bytes.length)
  return { name, formats, values }
}

t.test('whatever the values are, they arrive as they are: text in UTF-8, Buffers as bytes, null as nothing', (t) => {
  const messages = new FrontendMessages()
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme', maxLength: 200 }), fc.constant('é'.repeat(5000)), fc.constant('a'.repeat(70_000)))
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

t.test('what is cut is not sent, and what is taken is not written over', (t) => {
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
