import { connect } from 'node:net'
import { Agent, request } from 'node:http'
import type { IncomingMessage } from 'node:http'

/** The part of a reply that arrived. */
export interface Reply {
  /** Whether the reply ended properly. */
  readonly isWhole: boolean
  readonly status: number
  readonly body: string
}

/** The longest time that a server may take to respond, in milliseconds. */
export const patienceMillis = 15_000

/** Reuses connections, as browsers and proxies do. */
export const keptAlive = new Agent({ keepAlive: true, maxSockets: 64 })

/**
 * Sends a request; resolves with the reply when it has ended or broken off, with `hung` if that did not happen in time, and with
 * `undefined` if the connection broke before the reply.
 */
export function send (port: number, path: string, method = 'POST'): Promise<Reply | 'hung' | undefined> {
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, agent: keptAlive })
    const timer = setTimeout(() => { resolve('hung'); outgoing.destroy() }, patienceMillis)
    let isAnswered = false
    outgoing.on('error', () => {
      // A reply that breaks off is reported by its own events.
      if (isAnswered) return
      clearTimeout(timer)
      resolve(undefined)
    })
    outgoing.once('response', (incoming: IncomingMessage) => {
      isAnswered = true
      let body = ''
      incoming.setEncoding('utf8').on('data', (text: string) => { body += text })
      incoming.on('error', () => {}).once('close', () => {
        clearTimeout(timer)
        resolve({ isWhole: incoming.complete, status: Number(incoming.statusCode), body })
      })
    })
    outgoing.end()
  })
}

/** Sends a request and leaves after a while, in good order or not, regardless of the reply. */
export function abandon (port: number, path: string, { afterMillis, reset }: { afterMillis: number, reset: boolean }): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\n\r\n`)
      setTimeout(() => { if (reset) socket.resetAndDestroy(); else socket.destroy() }, afterMillis)
    })
    socket.on('error', () => {})
    socket.once('close', () => resolve())
    socket.resume()
  })
}
