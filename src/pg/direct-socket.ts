import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { SocketConstructorOpts } from 'node:net'

/** Gets what a socket has received: the first bytes of the buffer, which the next read overwrites. */
export type Received = (bytes: Buffer, length: number) => void

/** All sockets receive into this one, because what it holds is read before the next socket is. As large as Node's own buffers. */
const received = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * A socket whose bytes can be read where they arrive. As a stream it would make a buffer of 64 kB for each read, and cut it.
 * https://nodejs.org/api/net.html#new-netsocketoptions (`onread`)
 *
 * It is a stream like any other as well, for programs that pause it, read from it, or add a listener of their own.
 */
export class DirectSocket extends Socket {
  #reader: Received | undefined
  /** The listener of `data` that stands for the reader. */
  #listener: ((bytes: Buffer) => void) | undefined

  constructor () {
    // `onread` is public in Node and missing from its type declarations.
    super({ onread: { buffer: received, callback: (length: number) => this.#receive(length) } } as SocketConstructorOpts)
  }

  /** Sets who reads, as long as `listener` is the only one of `data`. */
  readBy (reader: Received, listener: (bytes: Buffer) => void): void {
    this.#reader = reader
    this.#listener = listener
  }

  // Node would stop reading, and for a listener of `readable` it would not begin again.
  override pause (): this { return Duplex.prototype.pause.call(this) as this }

  #receive (length: number): boolean {
    if (this.#reader === undefined || !this.#readsAlone) return this.push(Buffer.from(received.subarray(0, length)))
    this.#reader(received, length)
    return true
  }

  /** Whether the reader is the only one, and nothing that came before is still to be read. */
  get #readsAlone (): boolean {
    return this.readableFlowing === true && this.readableLength === 0 && this.listenerCount('data') === 1 && this.listenerCount('data', this.#listener) === 1
  }
}

/** The bytes, for one who keeps them: a copy if the next read would overwrite them. */
export function kept (bytes: Buffer, from: number, end: number): Buffer {
  const part = bytes.subarray(from, end)
  return bytes === received ? Buffer.from(part) : part
}
