/** Reads the statements that clients write to their sockets, whichever way they are sent. */
import type { PoolClient } from 'pg'

/** The part of pg's wire connection through which data is sent; missing from its type declarations. */
interface Wire {
  readonly stream: { write (...given: [bytes: Uint8Array, ...rest: unknown[]]): boolean }
}

/** An instrumentation of pg sends its trace context so, before each query of the pool. */
const traceContext = 'SET application_name'

/** Calls `told` for the text of each statement that a client sends from now on for the package, even if only the statement's name is sent. */
export function watchSent (client: PoolClient, told: (text: string) => void): void {
  const { stream } = (client as unknown as { connection: Wire }).connection
  const write = stream.write.bind(stream)
  const read = statementsOf(told)
  stream.write = (...given) => {
    read(Buffer.from(given[0]))
    return write(...given)
  }
}

/**
 * Reads the messages of a client, in pieces of any size: a Query has its text, a Bind refers to the text parsed under its name.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
function statementsOf (told: (text: string) => void): (piece: Buffer) => void {
  const texts = new Map<string, string>()
  let unread = Buffer.alloc(0)
  return (piece) => {
    unread = Buffer.concat([unread, piece])
    while (unread.length >= 5 && unread.length > unread.readInt32BE(1)) {
      const kind = unread.toString('latin1', 0, 1)
      const body = unread.subarray(5, unread.readInt32BE(1) + 1)
      if (kind === 'Q' && !textAt(body, 0).startsWith(traceContext)) told(textAt(body, 0))
      if (kind === 'P') texts.set(textAt(body, 0), textAt(body, body.indexOf(0) + 1))
      if (kind === 'B') told(texts.get(textAt(body, body.indexOf(0) + 1)) ?? '')
      unread = unread.subarray(unread.readInt32BE(1) + 1)
    }
  }
}

function textAt (body: Buffer, start: number): string {
  return body.toString('utf8', start, body.indexOf(0, start))
}
