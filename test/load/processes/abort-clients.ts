/** Clients that leave at random moments. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { stages } from './abort-server.js'
import type { Stage } from './abort-server.js'

/** When a client leaves: before it has sent everything, after a time, when the server has reached a stage, or never. */
export type Moment = 'sending' | 'time' | Stage | 'never'

export interface Report {
  /** The number of clients that left at each moment. */
  readonly left: Record<Moment, number>
  /** The numbers of the requests whose reply arrived whole. */
  readonly answered: Set<number>
  /** The statuses of the replies that arrived whole. */
  readonly statuses: Map<number, number>
}

const paths: readonly string[] = ['handler', 'statement', 'nested', 'stream']
const moments: readonly Moment[] = ['sending', 'time', 'time', ...stages, 'never']
const body = JSON.stringify({ filling: 'x'.repeat(200) })

function one<T> (list: readonly T[]): T {
  return list[Math.trunc(Math.random() * list.length)] as T
}

export class AbortClients {
  readonly report: Report = {
    left: Object.fromEntries(moments.map((moment) => [moment, 0])) as Record<Moment, number>, answered: new Set(), statuses: new Map()
  }

  readonly #leavers = new Map<number, { readonly stage: Stage, readonly leave: () => void }>()

  /** Called when a request reaches a stage: its client may leave now or a little later. */
  reached (number: number, stage: Stage): void {
    const leaver = this.#leavers.get(number)
    if (leaver?.stage !== stage) return
    this.#leavers.delete(number)
    if (Math.random() < 0.5) leaver.leave()
    else setTimeout(leaver.leave, Math.random() * 3)
  }

  /** Sends requests, `atOnce` at a time. */
  async send (port: number, { from, to, atOnce }: { from: number, to: number, atOnce: number }): Promise<void> {
    let next = from
    await Promise.all(Array.from({ length: atOnce }, async () => {
      while (next < to) await this.#request(port, next++)
    }))
  }

  async #request (port: number, number: number): Promise<void> {
    const moment = one(moments)
    const path = moment === 'stream' ? 'stream' : moment === 'handler' || moment === 'statement' ? moment : one(paths)
    const socket = connect(port, '127.0.0.1')
    let text = ''
    let hasLeft = false
    const leave = (): void => {
      if (hasLeft || socket.destroyed) return
      hasLeft = true
      this.report.left[moment]++
      if (Math.random() < 0.5) socket.resetAndDestroy()
      else socket.destroy()
    }
    socket.setEncoding('latin1').on('data', (chunk) => { text += chunk }).on('error', () => {})
    const closed = new Promise<void>((resolve) => { socket.once('close', () => resolve()) })
    const timer = this.#arrange(number, moment, leave)
    this.#write(socket, { path, number, isWhole: moment !== 'sending', leave })
    await closed
    clearTimeout(timer)
    this.#leavers.delete(number)
    if (!hasLeft) this.#answered(number, text)
  }

  #arrange (number: number, moment: Moment, leave: () => void): NodeJS.Timeout | undefined {
    if (moment === 'time') return setTimeout(leave, Math.random() * 30)
    const stage = stages.find((stage) => stage === moment)
    if (stage !== undefined) this.#leavers.set(number, { stage, leave })
    return undefined
  }

  #write (socket: Socket, { path, number, isWhole, leave }: { path: string, number: number, isWhole: boolean, leave: () => void }): void {
    const request =
      `POST /${path}/${number} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    if (isWhole) socket.write(request)
    else socket.write(request.slice(0, Math.trunc(Math.random() * (request.length - 1))), leave)
  }

  #answered (number: number, text: string): void {
    const status = Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1])
    this.report.statuses.set(status, (this.report.statuses.get(status) ?? 0) + 1)
    if (status === 201) this.report.answered.add(number)
  }
}
