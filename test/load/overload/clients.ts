/** Keep-alive connections that ask for one path, with so little processor time that the server is measured and not they. */
import { connect } from 'node:net'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import type { Socket } from 'node:net'

/** The times of the replies with each status, in milliseconds. */
export type Replies = Map<number, number[]>

/** How a path is asked for. */
export interface Load {
  readonly path: string
  readonly connections: number
  readonly seconds: number
  /** The requests in a second, each on a connection that is idle. Without it, each connection sends its next request at once. */
  readonly rate?: number
}

/** One of the connections. */
class Client {
  readonly #socket: Socket
  readonly #request: string
  #text = ''
  #sentAt = 0
  #answered: (status: number, millis: number) => void = () => {}

  constructor (socket: Socket, path: string) {
    this.#socket = socket
    this.#request = `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`
    socket.setNoDelay().setEncoding('latin1').on('data', (part: string) => this.#read(part))
  }

  /** Sends a request; the callback gets the status of the reply, and how long it took. */
  ask (answered: (status: number, millis: number) => void): void {
    this.#answered = answered
    this.#sentAt = performance.now()
    this.#socket.write(this.#request)
  }

  end (): void { this.#socket.destroy() }

  #read (part: string): void {
    this.#text += part
    const head = this.#text.indexOf('\r\n\r\n')
    const length = /content-length: (\d+)/i.exec(this.#text)?.[1]
    if (head < 0 || this.#text.length < head + 4 + Number(length)) return
    const status = Number(this.#text.slice(9, 12))
    this.#text = ''
    this.#answered(status, performance.now() - this.#sentAt)
  }
}

/** Sends the load, and resolves with all replies. */
export async function send (port: number, { path, connections, seconds, rate }: Load): Promise<Replies> {
  const clients = await Promise.all(Array.from({ length: connections }, async () => {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new Client(socket, path)
  }))
  const replies: Replies = new Map()
  const idle = [...clients]
  const started = performance.now()
  const isOver = (): boolean => performance.now() - started >= seconds * 1000
  const ask = (client: Client): void => client.ask((status, millis) => {
    const times = replies.get(status) ?? []
    replies.set(status, times)
    times.push(millis)
    if (rate === undefined && !isOver()) ask(client)
    else idle.push(client)
  })

  if (rate === undefined) for (const client of idle.splice(0)) ask(client)
  for (let sent = 0; !isOver(); await wait(1)) {
    const due = (rate ?? 0) * (performance.now() - started) / 1000
    for (; sent < due; sent++) {
      const client = idle.shift()
      if (client !== undefined) ask(client)
    }
  }
  while (idle.length < connections) await wait(1)
  for (const client of clients) client.end()
  return replies
}

/** The time that a share of the replies did not exceed. */
export function percentile (times: readonly number[] = [], share: number): number {
  return times.toSorted((one, other) => one - other)[Math.trunc(times.length * share)] ?? 0
}
