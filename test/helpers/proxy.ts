/**
 * A network between a client and PostgreSQL that fails on demand.
 */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Test } from './test.js'

/** How a connection is lost: closed in good order, reset, or silent, as when a cable is pulled. */
export type Loss = 'cut' | 'reset' | 'silence'

/** A running proxy. */
export interface Proxy {
  readonly port: number
  /** The given URL, through the proxy. */
  readonly connectionString: string
  /** The number of connections accepted so far. */
  readonly accepted: number
  /** The number of open connections. */
  readonly open: number
  /** Closes every connection; new ones are served. */
  cut (): void
  /** Resets every connection (ECONNRESET); new ones are served. */
  reset (): void
  /** Silences the open connections, as when a firewall has dropped them; new ones are served. */
  silence (): void
  /** Drops everything from now on, in both directions; new connections are accepted and never answered. */
  blackHole (): void
  /** Ends {@link Proxy.silence}, {@link Proxy.blackHole} and {@link Proxy.refuse}: held-back data arrives. */
  resume (): Promise<void>
  /** Closes every connection, and refuses new ones (ECONNREFUSED). */
  refuse (): Promise<void>
  /** Delays each answer by this time, in milliseconds. */
  delay (millis: number): void
  /** From now on answers arrive one byte at a time, with this pause in between, in milliseconds; 0 ends it. */
  drip (millis: number): void
  /** Reports failed transactions as intact in every ReadyForQuery from now on, like a faulty middleman. */
  hideFailures (hides: boolean): void
  /** New connections lead to another server, as after the address has moved; open connections stay where they are. */
  leadTo (target: string): void
  /** Replaces the next answer by other bytes. */
  garble (): void
  /** Loses the next connection that sends this text, before PostgreSQL receives it; resolves when that has happened. */
  loseRequest (text: string, how?: Loss): Promise<void>
  /** Loses the next connection that sends this text after PostgreSQL has answered it, together with the answer. */
  loseAnswer (text: string, how?: Loss): Promise<void>
  /** The same, but only the last message of the answer is lost: ReadyForQuery, which has the status of the transaction. */
  loseReady (text: string, how?: Loss): Promise<void>
}

/** ReadyForQuery without its last byte, the status of the transaction. */
const ready = Buffer.from([0x5a, 0, 0, 0, 5])

/** The status of a transaction that failed, and of one that did not. */
const failed = 0x45
const well = 0x54

interface Link {
  readonly client: Socket
  readonly server: Socket
  /** Set if the next answer is to be lost. */
  watch: Watch | undefined
  /** The held-back data, in order; undefined if there is none. */
  held: Promise<unknown> | undefined
}

interface Watch {
  readonly text: string
  readonly how: Loss
  readonly what: 'request' | 'answer' | 'ready'
  readonly happened: () => void
}

/** Five bytes with the frame of a message, of a kind that PostgreSQL does not have. */
const garbage = Buffer.from([0x67, 0, 0, 0, 4])

function placeOf (target: string): { port: number, host: string } {
  const { port, hostname } = new URL(target)
  return { port: Number(port || 5432), host: hostname }
}

/** The last message of an answer is ReadyForQuery. */
function hideFailure (answer: Buffer): void {
  const at = answer.length - ready.length - 1
  if (at >= 0 && answer.indexOf(ready, at) === at && answer[at + ready.length] === failed) answer[at + ready.length] = well
}

/** Starts a proxy in front of the PostgreSQL of a URL; it ends with the test. */
export async function startProxy (t: Test, target: string): Promise<Proxy> {
  const url = new URL(target)
  let postgres = placeOf(target)
  const links = new Set<Link>()
  const watches = new Set<Watch>()
  const state = { accepted: 0, silent: false, garbled: false, hidesFailures: false, delayMillis: 0, dripMillis: 0 }

  const lose = (link: Link, how: Loss): void => {
    if (how === 'silence') {
      link.client.pause()
      link.server.pause()
      return
    }
    link.server.destroy()
    if (how === 'reset') link.client.resetAndDestroy()
    else link.client.destroy()
  }

  /** Answers arrive in their original order, whatever the delay of each. */
  const deliver = (link: Link, answer: Buffer): void => {
    const { delayMillis, dripMillis } = state
    if (link.held === undefined && delayMillis === 0 && dripMillis === 0) {
      link.client.write(answer)
      return
    }
    const held = (link.held ?? Promise.resolve()).then(async () => {
      if (delayMillis > 0) await wait(delayMillis)
      const pieces = dripMillis === 0 ? [answer] : Array.from(answer, (byte) => Buffer.of(byte))
      for (const piece of pieces) {
        if (dripMillis > 0) await wait(dripMillis, undefined, { ref: false })
        if (!link.client.destroyed) link.client.write(piece)
      }
      if (link.held === held) link.held = undefined
    })
    link.held = held
  }

  const server: Server = createServer((client) => {
    const link: Link = { client, server: connect(postgres), watch: undefined, held: undefined }
    state.accepted++
    links.add(link)
    client.on('data', (chunk) => {
      const watch = [...watches].find(({ text }) => chunk.includes(text))
      if (watch !== undefined) {
        watches.delete(watch)
        if (watch.what === 'request') {
          lose(link, watch.how)
          return watch.happened()
        }
        link.watch = watch
      }
      link.server.write(chunk)
    })
    link.server.on('data', (chunk) => {
      const { watch } = link
      if (watch?.what === 'answer') {
        lose(link, watch.how)
        return watch.happened()
      }
      if (watch?.what === 'ready' && chunk.lastIndexOf(ready) === chunk.length - ready.length - 1) {
        client.write(chunk.subarray(0, -ready.length - 1), () => {
          lose(link, watch.how)
          watch.happened()
        })
        return
      }
      const answer = state.garbled ? garbage : chunk
      state.garbled = false
      if (state.hidesFailures) hideFailure(answer)
      deliver(link, answer)
    })
    for (const socket of [client, link.server]) {
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        link.server.destroy()
        links.delete(link)
      })
    }
    if (state.silent) lose(link, 'silence')
  })

  const watchFor = (watch: Omit<Watch, 'happened'>): Promise<void> =>
    new Promise((resolve) => { watches.add({ ...watch, happened: resolve }) })
  const loseAll = (how: Loss): void => { for (const link of links) lose(link, how) }
  const stop = async (): Promise<void> => {
    loseAll('cut')
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.teardown(stop)
  url.host = `127.0.0.1:${port}`

  return {
    port,
    connectionString: url.href,
    get accepted () { return state.accepted },
    get open () { return links.size },
    cut: () => loseAll('cut'),
    reset: () => loseAll('reset'),
    silence: () => loseAll('silence'),
    blackHole () {
      state.silent = true
      loseAll('silence')
    },
    async resume () {
      state.silent = false
      for (const { client, server } of links) for (const socket of [client, server]) socket.resume()
      if (server.listening) return
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    refuse: stop,
    leadTo (target) { postgres = placeOf(target) },
    garble () { state.garbled = true },
    delay (millis) { state.delayMillis = millis },
    drip (millis) { state.dripMillis = millis },
    hideFailures (hides) { state.hidesFailures = hides },
    loseRequest: (text, how = 'cut') => watchFor({ text, how, what: 'request' }),
    loseAnswer: (text, how = 'cut') => watchFor({ text, how, what: 'answer' }),
    loseReady: (text, how = 'cut') => watchFor({ text, how, what: 'ready' })
  }
}
