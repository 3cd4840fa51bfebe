/**
 * Reads the answers to groups of statements from the socket, without pg's parser.
 *
 * For each message that parser makes an object and emits an event, which costs more than the message itself. So the messages of a
 * group that every answer has are read here. Everything else goes to pg's parser, whole and in order: errors, notices, reports,
 * notifications, COPY, and whatever belongs to queries of other programs.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
import { EventEmitter } from 'node:events'
import { DirectSocket, kept } from './direct-socket.js'

/** Receives the messages of a group, in PostgreSQL's order. */
export interface DirectReader {
  /** Each column's text, or null. */
  row (texts: ReadonlyArray<string | null>): void
  /** A statement has run; its command tag. */
  completed (tag: string): void
}

/** Callbacks for PostgreSQL's confirmations of prepared statements. */
export interface Confirmations {
  /** A statement was parsed, or closed. */
  confirmed (): void
  /** Values were bound to a statement. */
  bound (): void
}

/** The part of pg's wire connection that is replaced or used here. */
interface WireConnection extends EventEmitter {
  attachListeners (stream: EventEmitter): void
  /** Whether another program reads every message. */
  readonly _emitMessage: boolean
}

const kinds = { parseComplete: 0x31, bindComplete: 0x32, closeComplete: 0x33, completed: 0x43, row: 0x44, error: 0x45, ready: 0x5A, noData: 0x6E }

/** One letter, and the length of the rest. */
const headLength = 5

/** Up to this length a loop is faster than a call into Node's native code. */
const shortLength = 4

const nothing = Buffer.alloc(0)

const readers = new WeakMap<EventEmitter, DirectMessages>()

export class DirectMessages {
  readonly #connection: WireConnection
  /** Where pg's parser listens. */
  #toParser = new EventEmitter()
  /** The group whose answer is awaited. */
  #reader: DirectReader | undefined
  #confirmations: Confirmations | undefined
  /** Bytes that were read and belong to a message without its end: from `#start` to `#end`. */
  #bytes = nothing
  #start = 0
  #end = 0
  /** The latest tag of each letter that tags begin with: most of them come again and again. */
  readonly #tags: string[] = []

  private constructor (connection: WireConnection) {
    this.#connection = connection
  }

  /** Reads the messages of a connection that is not connected yet. */
  static follow (connection: EventEmitter): void {
    const wire = connection as WireConnection // pg's declarations lack what its client uses
    const messages = new DirectMessages(wire)
    const { attachListeners } = wire
    // A connection has another socket for TLS, and for each host that it tries.
    wire.attachListeners = (stream) => {
      messages.#forget()
      messages.#toParser = new EventEmitter()
      attachListeners.call(wire, messages.#toParser)
      // For every other socket, such as one for TLS, and while another program reads this one.
      const listener = (chunk: Buffer): void => messages.#read(chunk, chunk.length)
      stream.on('data', listener)
      if (stream instanceof DirectSocket) stream.readBy((bytes, length) => messages.#read(bytes, length), listener)
    }
    readers.set(connection, messages)
  }

  /** The reader of a connection's messages; undefined for a connection that another program has made. */
  static of (connection: EventEmitter): DirectMessages | undefined { return readers.get(connection) }

  /** Who is told of confirmations, from now on. */
  tell (confirmations: Confirmations): void { this.#confirmations = confirmations }

  /** The group that is sent now gets its messages until PostgreSQL is ready, or reports an error. Another program that reads all messages goes on to get them. */
  begin (reader: DirectReader): void {
    if (!this.#connection._emitMessage) this.#reader = reader
  }

  #read (chunk: Buffer, length: number): void {
    const isWhole = this.#end === this.#start
    if (!isWhole) this.#append(chunk, 0, length)
    const bytes = isWhole ? chunk : this.#bytes
    const end = isWhole ? length : this.#end
    const rest = this.#readAll(bytes, isWhole ? 0 : this.#start, end)
    if (rest === end) this.#forget()
    else if (isWhole) this.#append(chunk, rest, length)
    else this.#start = rest
  }

  /** Reads the messages that are whole; returns where the rest begins. */
  #readAll (bytes: Buffer, from: number, end: number): number {
    const parser = this.#toParser
    let at = from
    /** Where the messages for pg's parser begin. */
    let left = from
    for (let next; end - at >= headLength && (next = at + 1 + bytes.readUInt32BE(at + 1)) <= end; at = next) {
      const kind = bytes[at]
      if (this.#reader !== undefined && isDirect(kind)) {
        if (left < at) this.#pass(bytes, left, at)
        this.#take(this.#reader, bytes, at)
        left = next
      } else if (kind === kinds.error || kind === kinds.ready) {
        // pg's client ends the query with an error. With ReadyForQuery it may send the next one: what follows may be its answer.
        if (kind === kinds.error) this.#reader = undefined
        this.#pass(bytes, left, next)
        left = next
        // A host that does not fit was left: the rest of its bytes is nobody's.
        if (this.#toParser !== parser) return end
      }
    }
    if (left < at) this.#pass(bytes, left, at)
    return at
  }

  #pass (bytes: Buffer, from: number, end: number): void { this.#toParser.emit('data', kept(bytes, from, end)) }

  /** Passes a message to the group. */
  #take (reader: DirectReader, bytes: Buffer, start: number): void {
    const at = start + headLength
    switch (bytes[start]) {
      case kinds.row: return reader.row(textsOf(bytes, at))
      case kinds.completed: return reader.completed(this.#tag(bytes, start))
      case kinds.bindComplete: return this.#confirmations?.bound()
      case kinds.parseComplete:
      case kinds.closeComplete: return this.#confirmations?.confirmed()
      case kinds.ready:
        this.#reader = undefined
        this.#connection.emit('readyForQuery', { name: 'readyForQuery', length: 5, status: String.fromCharCode(Number(bytes[at])) })
    }
  }

  #tag (bytes: Buffer, start: number): string {
    const at = start + headLength
    const length = bytes.readUInt32BE(start + 1) - headLength // without its last byte, 0
    const letter = Number(bytes[at])
    const latest = this.#tags[letter]
    if (latest?.length === length && isText(latest, bytes, at)) return latest
    const tag = bytes.toString('latin1', at, at + length)
    this.#tags[letter] = tag
    return tag
  }

  /** Adds what follows to an unfinished message. What was read is never overwritten, because pg's parser passes on parts of it. */
  #append (chunk: Buffer, from: number, end: number): void {
    const held = this.#end - this.#start
    const added = end - from
    if (this.#end + added > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(2 * (held + added))
      this.#bytes.copy(larger, 0, this.#start, this.#end)
      this.#bytes = larger
      this.#start = 0
      this.#end = held
    }
    chunk.copy(this.#bytes, this.#end, from, end)
    this.#end += added
  }

  #forget (): void {
    this.#bytes = nothing
    this.#start = this.#end = 0
  }
}

function isDirect (kind: number | undefined): boolean {
  return kind === kinds.row || kind === kinds.bindComplete || kind === kinds.completed || kind === kinds.ready || kind === kinds.parseComplete ||
    kind === kinds.closeComplete || kind === kinds.noData
}

/** The columns of a row: a count, then for each column its length, or -1 for null, and its text. */
function textsOf (bytes: Buffer, start: number): Array<string | null> {
  const count = bytes.readUInt16BE(start)
  const texts: Array<string | null> = new Array(count)
  let at = start + 2
  for (let index = 0; index < count; index++) {
    const length = bytes.readInt32BE(at)
    at += 4
    if (length < 0) texts[index] = null
    else texts[index] = textOf(bytes, at, at += length)
  }
  return texts
}

function textOf (bytes: Buffer, from: number, end: number): string {
  if (end - from > shortLength) return bytes.toString('utf8', from, end)
  let text = ''
  for (let index = from; index < end; index++) {
    const byte = Number(bytes[index])
    if (byte > 0x7F) return bytes.toString('utf8', from, end)
    text += String.fromCharCode(byte)
  }
  return text
}

function isText (text: string, bytes: Buffer, at: number): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text.charCodeAt(index)) return false
  return true
}
