/**
 * Writes the messages of a client to PostgreSQL, several of them into one buffer.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
import { prepareValue } from '../../pg/values.js'

const kinds = { parse: 0x50, bind: 0x42, describe: 0x44, execute: 0x45, close: 0x43, sync: 0x53, query: 0x51 }
const portal = 0x50
const statement = 0x53

/** Up to this length a loop is faster than a call into Node's native code. */
const shortLength = 32

/** A longer buffer is not reused. */
const keptBytes = 1 << 16

export class FrontendMessages {
  #buffer = Buffer.allocUnsafe(4096)
  #end = 0

  /** How many bytes are in the buffer. */
  get length (): number { return this.#end }

  /** Drops everything after a position. */
  cut (length: number): void { this.#end = length }

  /** Parses a statement; the next unnamed one replaces an unnamed one. */
  parse (name: string, text: string): void {
    const start = this.#begin(kinds.parse)
    this.#text(name)
    this.#text(text)
    this.#int16(0)
    this.#finish(start)
  }

  /** Binds the values of a statement: Buffers as bytes, all others as text. @throws the error of a value's `toPostgres()` */
  bind (name: string, values: readonly unknown[]): void {
    const start = this.#begin(kinds.bind)
    this.#byte(0)
    this.#text(name)
    const formats = this.#formats(values)
    this.#int16(values.length)
    for (let index = 0; index < values.length; index++) this.#value(prepareValue(values[index]), formats + index * 2)
    // One format for all result columns: text.
    this.#int16(1)
    this.#int16(0)
    this.#finish(start)
  }

  /** Requests the columns of the last bound statement. */
  describe (): void { this.#short(kinds.describe, portal) }

  /** Runs the last bound statement. */
  execute (): void {
    const start = this.#begin(kinds.execute)
    this.#byte(0)
    this.#int32(0)
    this.#finish(start)
  }

  /** Closes a prepared statement; an unknown name is not an error. */
  close (name: string): void {
    const start = this.#begin(kinds.close)
    this.#byte(statement)
    this.#text(name)
    this.#finish(start)
  }

  /** Ends a group: after a failure PostgreSQL skips everything up to here. */
  sync (): void { this.#finish(this.#begin(kinds.sync)) }

  /** A simple query: a text that may hold several statements. */
  query (text: string): void {
    const start = this.#begin(kinds.query)
    this.#text(text)
    this.#finish(start)
  }

  /** A copy of the buffer, which is emptied. */
  take (): Buffer {
    const bytes = Buffer.allocUnsafe(this.#end)
    this.#buffer.copy(bytes, 0, 0, this.#end)
    this.#end = 0
    if (this.#buffer.length > keptBytes) this.#buffer = Buffer.allocUnsafe(4096)
    return bytes
  }

  /** Writes the format of each value as text, and returns the position of the formats. */
  #formats (values: readonly unknown[]): number {
    this.#int16(values.length)
    const start = this.#end
    for (let index = 0; index < values.length; index++) this.#int16(0)
    return start
  }

  #value (value: string | Buffer | null, format: number): void {
    // pg passes on the result of `toPostgres()`, which may be undefined.
    if (value === null || value === undefined) return this.#int32(-1)
    const start = this.#end
    this.#int32(0)
    if (typeof value === 'string') {
      this.#characters(value)
    } else {
      this.#buffer[format + 1] = 1
      this.#reserve(value.length)
      value.copy(this.#buffer, this.#end)
      this.#end += value.length
    }
    this.#buffer.writeInt32BE(this.#end - start - 4, start)
  }

  #short (kind: number, byte: number): void {
    const start = this.#begin(kind)
    this.#byte(byte)
    this.#byte(0)
    this.#finish(start)
  }

  #begin (kind: number): number {
    this.#byte(kind)
    this.#int32(0)
    return this.#end - 4
  }

  #finish (start: number): void {
    const length = this.#end - start
    this.#buffer[start] = length >>> 24
    this.#buffer[start + 1] = length >>> 16
    this.#buffer[start + 2] = length >>> 8
    this.#buffer[start + 3] = length
  }

  #text (text: string): void {
    this.#characters(text)
    this.#byte(0)
  }

  #characters (text: string): void {
    // UTF-8 needs at most three bytes for a UTF-16 code unit.
    this.#reserve(text.length * 3)
    if (text.length > shortLength || !this.#ascii(text)) this.#end += this.#buffer.write(text, this.#end)
  }

  /** Writes a text if all its characters are ASCII; else returns `false`. */
  #ascii (text: string): boolean {
    const start = this.#end
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      if (code > 0x7f) return false
      this.#buffer[start + index] = code
    }
    this.#end = start + text.length
    return true
  }

  #byte (byte: number): void {
    this.#reserve(1)
    this.#buffer[this.#end++] = byte
  }

  #int16 (number: number): void {
    this.#reserve(2)
    this.#buffer[this.#end++] = number >>> 8
    this.#buffer[this.#end++] = number
  }

  #int32 (number: number): void {
    this.#reserve(4)
    this.#buffer[this.#end++] = number >>> 24
    this.#buffer[this.#end++] = number >>> 16
    this.#buffer[this.#end++] = number >>> 8
    this.#buffer[this.#end++] = number
  }

  #reserve (bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#end + bytes))
    this.#buffer.copy(larger, 0, 0, this.#end)
    this.#buffer = larger
  }
}
