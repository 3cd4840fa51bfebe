import { connect } from 'node:net'
import { Agent, request } from 'node:http'
import type { IncomingMessage } from 'node:http'

/** What arrived of a reply. */
export interface Reply {
  /** Whether it came to its proper end. */
  readonly isWhole: boolean
  readonly status: number
  readonly body: string
}

/** The longest that a server may leave a client without an answer, in milliseconds. */
export const patienceMillis = 15_000

/** Connections that are used again, as browsers and proxies do. */
export const keptAlive = new Agent({ keepAlive: true, maxSockets: 64 })

/**
 * Sends a request; resolves with the reply when it has ended or broken off, with `hung` when that did not happen in time, and
 * with `undefined` when the connection broke before it.
 */
export function send (port: number, path: string, method = 'POST'): Promise<Reply | 'hung' | undefined> {
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, agent: keptAlive })
    const timer = setTimeout(() => { resolve('hung'); outgoing.destroy() }, patienceMillis)
    let isAnswered = false
    outgoing.on('error', () => {
      // Of a reply that breaks off the reply tells.
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

/** Sends a request and leaves after a while, in good order or not, whatever has come by then. */
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
