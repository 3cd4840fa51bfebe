import { ClientNames } from './pooler-names.js'
import { Messages } from './pooler-server.js'
import type { Socket } from 'node:net'
import type { CoreClient, Lent, PoolerCore } from './pooler-core.js'

/** The startup parameters that PgBouncer knows. */
const known = new Set(['user', 'database', 'client_encoding', 'datestyle', 'timezone', 'standard_conforming_strings', 'application_name'])

const openings = { startup: 196_608, ssl: 80_877_103, cancel: 80_877_102 }

/** One client of the pooler. */
export class PoolerClient implements CoreClient {
  readonly #socket: Socket
  readonly #core: PoolerCore
  readonly id: { readonly pid: number, readonly key: number }
  readonly #messages = new Messages(false)
  readonly #names = new ClientNames()
  /** Messages that wait for a server. */
  #held: Buffer[] = []
  #lent: Lent | undefined
  /** How many of the messages that end with ReadyForQuery are unanswered. */
  #open = 0
  #password: string | undefined
  #isWaiting = false

  constructor (socket: Socket, core: PoolerCore, id: { pid: number, key: number }) {
    this.#socket = socket
    this.#core = core
    this.id = id
    this.#password = core.options.password
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('data', (piece: Buffer) => {
      for (const message of this.#messages.read(piece)) {
        if (this.#messages.hasKinds) this.#sent(message)
        else this.#opened(message)
      }
    })
    socket.on('close', () => this.#left())
  }

  get lent (): Lent | undefined { return this.#lent }

  /** Gives the client a server for one transaction. */
  lend (lent: Lent): void {
    this.#isWaiting = false
    this.#lent = lent
    for (const message of this.#held.splice(0)) this.#forward(message, lent)
  }

  /** PostgreSQL's message. */
  received (message: Buffer): void {
    const lent = this.#lent
    if (lent === undefined) return
    const answer = this.#core.options.keepsNames === true ? lent.names.answerFor(message) : message
    if (answer !== undefined) this.#socket.write(answer)
    if (message.toString('latin1', 0, 1) !== 'Z') return
    this.#open--
    if (message.toString('latin1', 5, 6) !== 'I' || this.#open > 0) return
    this.#lent = undefined
    this.#core.takeBack(lent)
  }

  /** Its server was lost. */
  lost (): void {
    this.#lent = undefined
    this.refuse('08P01', 'server conn crashed?')
  }

  /** Ends the connection with an error, as PgBouncer does. */
  refuse (code: string, text: string): void {
    this.#core.clients.delete(this)
    this.#socket.end(message('E', Buffer.from(`SFATAL\0C${code}\0M${text}\0\0`)))
  }

  #opened (opening: Buffer): void {
    const code = opening.readInt32BE(4)
    if (code === openings.ssl) this.#socket.write('N')
    else if (code === openings.cancel) this.#cancel(opening.readInt32BE(8), opening.readInt32BE(12))
    else if (code === openings.startup) this.#start(opening.toString('utf8', 8).split('\0'))
  }

  #start (fields: readonly string[]): void {
    const { options, clients, maxClients, url } = this.#core
    const parameters = new Map<string, string>()
    for (let index = 0; index + 1 < fields.length && fields[index] !== ''; index += 2) parameters.set(String(fields[index]), String(fields[index + 1]))
    this.#messages.hasKinds = true
    const unknown = [...parameters.keys()].find((name) => name !== 'options' && !known.has(name.toLowerCase()))
    const inOptions = /(\w+)=/.exec(parameters.get('options') ?? '')?.[1]
    if (options.startupParameters !== 'ignored' && inOptions !== undefined) return this.refuse('08P01', `unsupported startup parameter in options: ${inOptions}`)
    if (options.startupParameters !== 'ignored' && unknown !== undefined) return this.refuse('08P01', `unsupported startup parameter: ${unknown}`)
    if (clients.size > maxClients) return this.refuse('08P01', 'no more connections allowed (max_client_conn)')
    const database = parameters.get('database')
    if (database !== decodeURIComponent(new URL(url).pathname.slice(1))) return this.refuse('08P01', `no such database: ${database}`)
    if (this.#password === undefined) this.#welcome()
    else this.#socket.write(message('R', int32(3)))
  }

  #welcome (): void {
    const reported = [...this.#core.servers][0]?.server.parameters ?? new Map([['server_version', '18.0'], ['client_encoding', 'UTF8'], ['DateStyle', 'ISO, MDY']])
    this.#socket.write(Buffer.concat([
      message('R', int32(0)),
      ...Array.from(reported, ([name, value]) => message('S', Buffer.from(`${name}\0${value}\0`))),
      message('K', int32(this.id.pid, this.id.key)),
      message('Z', Buffer.from('I'))
    ]))
  }

  #sent (sent: Buffer): void {
    const kind = sent.toString('latin1', 0, 1)
    if (kind === 'p') {
      const isRight = sent.toString('utf8', 5, sent.length - 1) === this.#password
      this.#password = undefined
      if (isRight) this.#welcome()
      else this.refuse('08P01', 'password authentication failed')
    } else if (kind === 'X') this.#socket.end()
    else if (this.#lent !== undefined) this.#forward(sent, this.#lent)
    else {
      this.#held.push(sent)
      if (this.#isWaiting) return
      this.#isWaiting = true
      this.#core.waiting.push(this)
      this.#core.proceed()
    }
  }

  #forward (sent: Buffer, { server, names }: Lent): void {
    if (sent[0] === 0x53 || sent[0] === 0x51) this.#open++
    const messages = this.#core.options.keepsNames === true ? this.#names.rewrite(sent, names) : [sent]
    for (const message of messages) server.write(message)
  }

  /** A request to cancel goes on to the server that the client has; the socket is closed when it has arrived. */
  #cancel (pid: number, key: number): void {
    const client = [...this.#core.clients].find((client) => client.id.pid === pid && client.id.key === key)
    const lent = client?.lent
    if (lent === undefined) {
      this.#socket.end()
      return
    }
    const delivered = lent.server.cancel()
    lent.cancels.add(delivered)
    delivered.then(() => {
      lent.cancels.delete(delivered)
      this.#socket.end()
      this.#core.proceed()
    })
  }

  /** The client has left: a server inside a transaction is of no use any more. */
  #left (): void {
    this.#core.clients.delete(this)
    const place = this.#core.waiting.indexOf(this)
    if (place !== -1) this.#core.waiting.splice(place, 1)
    this.#lent?.server.destroy()
    this.#lent = undefined
  }
}

function message (kind: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(kind), int32(body.length + 4), body])
}

function int32 (...numbers: number[]): Buffer {
  const buffer = Buffer.alloc(numbers.length * 4)
  for (const [index, number] of numbers.entries()) buffer.writeInt32BE(number, index * 4)
  return buffer
}
