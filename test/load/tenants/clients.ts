/** Clients of many tenants over real sockets: each checks that a reply holds rows of its own tenant only. */
import { Agent, request as send } from 'node:http'

export const tenants = 50

/** What a client asks for, and how often. */
const asked: ReadonlyArray<readonly [kind: string, times: number]> = [
  ['list', 4], ['raw', 3], ['one', 3], ['create', 3], ['update', 2], ['stream', 2], ['nested', 2], ['retried', 1], ['db', 2], ['foreign', 1], ['slow', 1], ['without', 1]
]
const kinds = asked.flatMap(([kind, times]) => Array.from({ length: times }, () => kind))

const one = <T>(list: readonly T[]): T => list[Math.trunc(Math.random() * list.length)] as T

/** What has come back. */
export interface Tally {
  /** The whole replies, by kind and status. */
  readonly replies: Map<string, number>
  aborted: number
  /** Connections that the server ended. */
  broken: number
  /** Rows in whole replies and in parts of replies. */
  rows: number
  /** Rows of another tenant. There must be none. */
  readonly foreign: string[]
}

export class TenantClients {
  readonly tally: Tally = { replies: new Map(), aborted: 0, broken: 0, rows: 0, foreign: [] }
  readonly #port: number
  readonly #agent = new Agent({ keepAlive: true })
  /** A row of each tenant that a reply has shown, and the highest id: clients ask for their own rows and for those of others. */
  readonly #own = new Map<number, number>()
  #highest = 1

  constructor (port: number) {
    this.#port = port
  }

  /** Sends requests, `atOnce` at a time, each as another tenant. */
  async send (count: number, atOnce: number): Promise<void> {
    let left = count
    await Promise.all(Array.from({ length: atOnce }, async () => {
      while (left-- > 0) {
        if (left % 10_000 === 0) console.error(`${left} to send, ${this.tally.foreign.length} foreign rows`)
        await this.#send(1 + Math.trunc(Math.random() * tenants), one(kinds))
      }
    }))
    this.#agent.destroy()
  }

  async #send (tenant: number, kind: string): Promise<void> {
    const { method, path, body } = this.#requestOf(tenant, kind)
    const leavesAfter = Math.random() < 0.03 ? Math.random() * 20 : undefined
    await new Promise<void>((resolve) => {
      let text = ''
      const payload = body === undefined ? undefined : JSON.stringify(body)
      const end = (outcome: string | undefined): void => {
        clearTimeout(timer)
        if (outcome !== undefined) this.#count(`${kind} ${outcome}`)
        this.#check(text, tenant, kind)
        resolve()
      }
      const headers = {
        ...kind !== 'without' && { 'x-tenant': String(tenant) },
        ...payload !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
      }
      let hasLeft = false
      const asked = send({ port: this.#port, host: '127.0.0.1', method, path, headers, agent: this.#agent }, (reply) => {
        reply.setEncoding('utf8').on('data', (part: string) => { text += part })
        reply.once('close', () => end(reply.complete ? String(reply.statusCode) : undefined))
        reply.once('error', () => { if (!hasLeft) this.tally.broken++ })
      })
      asked.once('error', () => { if (!hasLeft) this.tally.broken++; end(undefined) })
      const timer = leavesAfter === undefined ? undefined : setTimeout(() => { hasLeft = true; this.tally.aborted++; asked.destroy() }, leavesAfter)
      asked.end(payload)
    })
  }

  #requestOf (tenant: number, kind: string): { method: string, path: string, body?: object } {
    const own = Math.random() < 0.5 ? this.#own.get(tenant) : undefined
    const id = own ?? 1 + Math.trunc(Math.random() * this.#highest)
    switch (kind) {
      case 'one': return { method: 'GET', path: `/notes/${id}` }
      case 'create': return { method: 'POST', path: '/notes', body: { text: `of ${tenant}` } }
      case 'update': return { method: 'PATCH', path: `/notes/${id}`, body: { text: `changed by ${tenant}` } }
      case 'nested': case 'retried': return { method: 'POST', path: `/${kind}` }
      case 'foreign': return { method: 'POST', path: '/foreign', body: { tenantId: tenant % tenants + 1 } }
      case 'list': case 'without': return { method: 'GET', path: '/notes' }
      default: return { method: 'GET', path: `/${kind}` }
    }
  }

  #count (name: string): void {
    this.tally.replies.set(name, (this.tally.replies.get(name) ?? 0) + 1)
  }

  #check (text: string, tenant: number, kind: string): void {
    for (const [row, id, owner] of text.matchAll(/"id":(\d+),"tenantId":(\d+)/g)) {
      this.tally.rows++
      this.#own.set(Number(owner), Number(id))
      this.#highest = Math.max(this.#highest, Number(id))
      if (kind === 'without' || Number(owner) !== tenant) this.tally.foreign.push(`${kind} of ${tenant}: ${row}`)
    }
    if (kind === 'foreign' && text.includes('"tenantId"')) this.tally.foreign.push(`${kind} of ${tenant}: it was stored`)
  }
}
