/**
 * Prepared statements through a pooler that keeps names, as PgBouncer does from 1.21 on with `max_prepared_statements`: a server
 * has one statement for each text, under the pooler's own name, and it is prepared there when a client first needs it.
 */

/** The names of the statements on one server. */
export class ServerNames {
  readonly #prepared = new Set<string>()
  /** The parsed texts whose ParseComplete has not come yet, and what becomes of each ParseComplete and CloseComplete. */
  #pending: Pending[] = []

  /** Whether the server has a statement, or will have it after what was sent. */
  has (name: string): boolean { return this.#prepared.has(name) || this.#pending.some((pending) => pending.name === name) }

  /** A message was sent that PostgreSQL confirms. */
  sent (pending: Pending): void { this.#pending.push(pending) }

  /** A Sync was sent. */
  synced (): void { this.#pending.push({ name: undefined, answer: undefined, isSync: true }) }

  /** What the client receives instead of PostgreSQL's message. */
  answerFor (message: Buffer): Buffer | undefined {
    const kind = message.toString('latin1', 0, 1)
    if (kind === 'Z') {
      const end = this.#pending.findIndex(({ isSync }) => isSync)
      this.#pending = this.#pending.slice(end + 1)
    }
    if (kind !== '1' && kind !== '3') return message
    const confirmed = this.#pending.shift()
    if (confirmed?.name !== undefined && kind === '1') this.#prepared.add(confirmed.name)
    return confirmed?.answer
  }
}

interface Pending {
  /** The statement that it prepares, if it does. */
  readonly name: string | undefined
  /** What the client receives; undefined: nothing. */
  readonly answer: Buffer | undefined
  readonly isSync: boolean
}

const parseComplete = Buffer.from('1\0\0\0\x04', 'latin1')
const closeComplete = Buffer.from('3\0\0\0\x04', 'latin1')

/** The pooler's names, by the text of the statement. */
const poolerNames = new Map<string, string>()

/** The names of one client. */
export class ClientNames {
  /** For each name the Parse message without its name. */
  readonly #texts = new Map<string, Buffer>()

  /** The messages for a server, in place of one of the client's. */
  rewrite (message: Buffer, server: ServerNames): Buffer[] {
    const kind = message.toString('latin1', 0, 1)
    if (kind === 'S' || kind === 'Q') server.synced()
    if (kind === 'P') return this.#parse(message, server)
    if (kind === 'C') return this.#close(message, server)
    const start = kind === 'B' ? message.indexOf(0, 5) + 1 : 6
    const isOfStatement = kind === 'B' || (kind === 'D' && message[5] === 0x53)
    return isOfStatement ? this.#use(message, start, server) : [message]
  }

  #parse (message: Buffer, server: ServerNames): Buffer[] {
    const { name, rest } = nameAt(message, 5)
    if (name === '') {
      server.sent({ name: undefined, answer: parseComplete, isSync: false })
      return [message]
    }
    this.#texts.set(name, Buffer.from(rest))
    const own = ownName(rest)
    if (server.has(own)) return [nothing(server, parseComplete)]
    server.sent({ name: own, answer: parseComplete, isSync: false })
    return [withName(message, 5, own)]
  }

  #use (message: Buffer, start: number, server: ServerNames): Buffer[] {
    const { name } = nameAt(message, start)
    const text = this.#texts.get(name)
    if (name === '' || text === undefined) return [message]
    const own = ownName(text)
    const used = withName(message, start, own)
    if (server.has(own)) return [used]
    server.sent({ name: own, answer: undefined, isSync: false })
    return [withName(Buffer.concat([Buffer.from('P\0\0\0\0\0', 'latin1'), text]), 5, own), used]
  }

  #close (message: Buffer, server: ServerNames): Buffer[] {
    const { name } = nameAt(message, 6)
    if (message[5] === 0x53 && this.#texts.delete(name)) return [nothing(server, closeComplete)]
    server.sent({ name: undefined, answer: closeComplete, isSync: false })
    return [message]
  }
}

function ownName (rest: Buffer): string {
  const text = rest.toString('latin1')
  let own = poolerNames.get(text)
  if (own === undefined) poolerNames.set(text, own = `POOLER_${poolerNames.size + 1}`)
  return own
}

/** A message without effect in place of one that the server need not see: its confirmation keeps the order. */
function nothing (server: ServerNames, answer: Buffer): Buffer {
  server.sent({ name: undefined, answer, isSync: false })
  return withName(Buffer.from('C\0\0\0\0S\0', 'latin1'), 6, 'POOLER_NOTHING')
}

function nameAt (message: Buffer, start: number): { name: string, rest: Buffer } {
  const end = message.indexOf(0, start)
  return { name: message.toString('utf8', start, end), rest: message.subarray(end + 1) }
}

function withName (message: Buffer, start: number, name: string): Buffer {
  const { rest } = nameAt(message, start)
  const renamed = Buffer.concat([message.subarray(0, start), Buffer.from(`${name}\0`), rest])
  renamed.writeInt32BE(renamed.length - 1, 1)
  return renamed
}
