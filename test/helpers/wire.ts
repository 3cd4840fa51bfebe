/**
 * The server's side of PostgreSQL's wire protocol, as far as tests need it: turns messages of clients into words, and responses
 * into bytes.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

/** PostgreSQL's own letters: idle, in a transaction, in a failed transaction. */
export type Status = 'I' | 'T' | 'E'

function message (kind: string, ...parts: Array<Buffer | string>): Buffer {
  const body = Buffer.concat(parts.map((part) => typeof part === 'string' ? Buffer.from(part) : part))
  return Buffer.concat([Buffer.from(kind), int32(body.length + 4), body])
}

function int32 (...numbers: number[]): Buffer {
  const buffer = Buffer.alloc(numbers.length * 4)
  for (const [position, number] of numbers.entries()) buffer.writeInt32BE(number, position * 4)
  return buffer
}

function int16 (...numbers: number[]): Buffer {
  const buffer = Buffer.alloc(numbers.length * 2)
  for (const [position, number] of numbers.entries()) buffer.writeInt16BE(number, position * 2)
  return buffer
}

export const authenticationOk = message('R', int32(0))
export const parseComplete = message('1')
export const bindComplete = message('2')
export const noData = message('n')
export const emptyQueryResponse = message('I')
export const copyInResponse = message('G', '\0', int16(0))

export const backendKeyData = (pid: number, key: number): Buffer => message('K', int32(pid, key))
export const parameterStatus = (name: string, value: string): Buffer => message('S', `${name}\0${value}\0`)
export const notificationResponse = (channel: string, payload: string): Buffer => message('A', int32(1), `${channel}\0${payload}\0`)
export const commandComplete = (tag: string): Buffer => message('C', `${tag}\0`)
export const readyForQuery = (status: Status): Buffer => message('Z', status)
export const closeComplete = message('3')
export const errorResponse = (code: string, severity = 'ERROR', routine?: string): Buffer => message('E', fields(severity, code, routine))
export const noticeResponse = (code: string): Buffer => message('N', fields('WARNING', code))

function fields (severity: string, code: string, routine?: string): string {
  return `S${severity}\0V${severity}\0C${code}\0Mfrom the script\0${routine === undefined ? '' : `R${routine}\0`}\0`
}

const textOid = 25

/** Columns of type text. */
export function rowDescription (...names: string[]): Buffer {
  const columns = names.map((name) => Buffer.concat([Buffer.from(`${name}\0`), int32(0), int16(0), int32(textOid), int16(-1), int32(-1), int16(0)]))
  return message('T', int16(names.length), ...columns)
}

export function dataRow (...values: Array<string | null>): Buffer {
  return message(
    'D',
    int16(values.length),
    ...values.map((value) => value === null ? int32(-1) : Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]))
  )
}

/** For each kind of client message, the words for its name and its content. */
const kinds: Readonly<Record<string, (body: Body) => string>> = {
  B: (body) => words('Bind', body.text(), body.text(), body.values()),
  C: (body) => words('Close', body.bytes(1), body.text()),
  D: (body) => words('Describe', body.bytes(1), body.text()),
  E: (body) => words('Execute', body.text(), body.int32() || ''),
  H: () => 'Flush',
  P: (body) => words('Parse', body.text(), body.text(), body.int16() || ''),
  Q: (body) => words('Query', body.text()),
  S: () => 'Sync',
  X: () => 'Terminate',
  c: () => 'CopyDone',
  d: () => 'CopyData',
  f: () => 'CopyFail'
}

/** The first messages of a connection, which have no kind. */
const openings: Readonly<Record<number, (body: Body) => string>> = {
  196608: () => 'Startup',
  80877102: (body) => words('CancelRequest', body.int32(), body.int32())
}

function words (...parts: Array<string | number>): string {
  return parts.filter((part) => part !== '').join(' ')
}

/** Reads the fields of a message one after the other. */
class Body {
  readonly #buffer: Buffer
  #position = 0

  constructor (buffer: Buffer) { this.#buffer = buffer }

  int32 (): number { return this.#take(4).readInt32BE() }

  int16 (): number { return this.#take(2).readInt16BE() }

  bytes (length: number): string { return this.#take(length).toString() }

  text (): string {
    const text = this.bytes(this.#buffer.indexOf(0, this.#position) - this.#position)
    this.#take(1)
    return text
  }

  /** The values of a Bind, which come after their formats. */
  values (): string {
    this.#take(this.int16() * 2)
    return Array.from({ length: this.int16() }, () => {
      const length = this.int32()
      return length === -1 ? 'null' : this.bytes(length)
    }).join(', ')
  }

  #take (length: number): Buffer {
    const start = this.#position
    this.#position += length
    return this.#buffer.subarray(start, this.#position)
  }
}

/** Turns the messages of a client into words, in pieces of any size: `Parse begin`, `Bind ada, null`, `Sync`. */
export class Reader {
  #buffer = Buffer.alloc(0)
  #isOpen = false

  /** The messages that are complete with this piece. */
  read (piece: Buffer): string[] {
    this.#buffer = Buffer.concat([this.#buffer, piece])
    const messages: string[] = []
    for (let next = this.#next(); next !== undefined; next = this.#next()) messages.push(next)
    return messages
  }

  #next (): string | undefined {
    const start = this.#isOpen ? 1 : 0
    if (this.#buffer.length < start + 4) return undefined
    const end = start + this.#buffer.readInt32BE(start)
    if (this.#buffer.length < end) return undefined
    const body = new Body(this.#buffer.subarray(start + 4, end))
    const kind = this.#buffer.toString('latin1', 0, 1)
    this.#buffer = this.#buffer.subarray(end)
    const toWords = this.#isOpen ? kinds[kind] : openings[body.int32()]
    this.#isOpen = true
    if (toWords === undefined) throw new Error(`A message that no script knows: ${kind}`)
    return toWords(body)
  }
}
