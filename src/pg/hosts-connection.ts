/**
 * A wire connection that tries several hosts, one after the other, until a session fits.
 *
 * pg's client starts the session anew with each `connect` event, so it notices nothing of hosts that failed: this connection
 * keeps their events back. The host is accepted with the first ReadyForQuery, by what the server has reported until then.
 *
 * As in libpq, a name with several addresses is one host: the next address is tried if nothing listens at the one before.
 * A refusal that every host would repeat, such as a wrong password, ends the search.
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 */
import pg from 'pg'
import { defaultTimeoutMillis, HostsError, inOrder, remember } from './hosts.js'
import { AddressSocket, shuffledAddresses } from './address-socket.js'
import { askState, isFit, isKnown, readReport, readState } from './session-state.js'
import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { ClientConfig } from 'pg'
import type { HostAddress, HostFailure, Hosts } from './hosts.js'
import type { SessionState, TargetSession } from './session-state.js'

/** The part of pg's wire connection that is used or replaced here. */
interface PgConnection extends EventEmitter {
  stream: Socket
  ssl: object | boolean
  readonly _ending: boolean
  connect (port: number | string, host?: string): void
  query (text: string): void
  _send (buffer: Buffer): boolean
}

// `pg.Connection` is public in pg; its type declarations lack what a client calls.
const Connection = pg.Connection as unknown as new (config: object) => PgConnection

/** The properties of pg's client that follow the host. */
export interface FollowingClient {
  host: string
  port: number
  ssl: object | boolean
}

/** Terminate: https://www.postgresql.org/docs/current/protocol-message-formats.html */
const terminate = Buffer.from([0x58, 0, 0, 0, 4])

/** The events that the client answers, some of them only after a computation. */
const asking = new Set(['authenticationCleartextPassword', 'authenticationMD5Password', 'authenticationSASL', 'authenticationSASLContinue'])

/** How long a session that does not fit may take to end, in milliseconds. */
const farewellMillis = 1000

/** The SQLSTATEs of a server that cannot take this connection now: too many connections, and starting or stopping. Another host may. */
const passing = /^(?:53|57P)/

/** A host that has not answered within its time. */
class HostTimeout extends Error {
  readonly code = 'ETIMEDOUT'
}

export class HostsConnection extends Connection {
  /** What the server has reported of the session. */
  state: SessionState = {}
  readonly #hosts: Hosts
  readonly #failures: HostFailure[] = []
  /** The hosts that answered, and are taken if no host is preferred. */
  readonly #unpreferred: HostAddress[] = []
  #target: TargetSession
  #left: HostAddress[] = []
  #address: HostAddress | undefined
  #client: FollowingClient = { host: 'localhost', port: 5432, ssl: false }
  /** pg's defaults for an address without host or port, and the TLS options of hosts that are no Unix sockets. */
  #defaults: Readonly<FollowingClient> = this.#client
  #socket = this.stream
  #isSearching = true
  /** Whether the client still computes its answer to a host: until it has come, no other host may ask. */
  #isOwing = false
  /** Whether the next host waits for that answer. */
  #isLeft = false
  #isAsking = false
  /** PostgreSQL's error for the question, if any. */
  #refusal: Error | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #deadline: number | undefined

  constructor (config: ClientConfig, hosts: Hosts) {
    super(config)
    this.#hosts = hosts
    this.#target = hosts.target === 'prefer-standby' ? 'standby' : hosts.target
    this.#deadline = config.connectionTimeoutMillis && performance.now() + config.connectionTimeoutMillis
    this.on('parameterStatus', ({ parameterName, parameterValue }) => readReport(this.state, parameterName, parameterValue))
  }

  /** Whether the session is still what the client wanted. */
  get isFit (): boolean { return isFit(this.#hosts.target, this.state) }

  /** The client that this connection belongs to: its host and port become those of the current attempt, and its TLS options. */
  serve (client: FollowingClient): void {
    this.#client = client
    this.#defaults = { host: client.host, port: client.port, ssl: client.ssl }
  }

  override connect (): void {
    this.#left = inOrder(this.#hosts)
    this.#tryNext()
  }

  override emit (event: string, ...args: unknown[]): boolean {
    return (this.#isSearching && this.#keepsBack(event, args[0])) || super.emit(event, ...args)
  }

  override _send (buffer: Buffer): boolean {
    this.#isOwing = false
    if (!this.#isLeft) return super._send(buffer)
    // An answer for the host that was left.
    this.#tryNext()
    return false
  }

  #tryNext (): void {
    this.#isLeft = this.#isOwing = false
    if (this.#left.length === 0 && this.#unpreferred.length > 0) {
      this.#left = this.#unpreferred.splice(0)
      this.#target = 'any'
    }
    const address = this._ending ? undefined : this.#left.shift()
    if (address === undefined) this.#giveUp()
    else this.#try(address)
  }

  #try (address: HostAddress): void {
    const { host = this.#defaults.host, port = this.#defaults.port } = address
    const isLocal = host.startsWith('/')
    this.#address = address
    this.#isAsking = false
    this.#refusal = undefined
    this.state = {}
    this.ssl = isLocal ? false : this.#defaults.ssl
    Object.assign(this.#client, { host, port, ssl: this.ssl })
    this.stream = this.#socket = new AddressSocket(this.#hosts.isRandom ? shuffledAddresses : undefined)
    const limit = this.#limit
    if (limit !== undefined) this.#timer = setTimeout(() => this.#failed(new HostTimeout('the host did not answer in time')), limit)
    if (isLocal) super.connect(`${host}/.s.PGSQL.${port}`)
    else super.connect(port, host)
  }

  /** The time for this host: while others are left, it gets no more than its share of the whole time. */
  get #limit (): number | undefined {
    const { timeoutMillis } = this.#hosts
    const others = this.#left.length
    if (others === 0) return timeoutMillis
    const share = this.#deadline === undefined ? Infinity : (this.#deadline - performance.now()) / (others + 1)
    return Math.max(Math.min(timeoutMillis ?? defaultTimeoutMillis, share), 1)
  }

  /** Whether the client must not see an event, because another host is tried, or because it is an answer to our own question. */
  #keepsBack (event: string, message: unknown): boolean {
    if (asking.has(event)) this.#isOwing = true
    switch (event) {
      case 'error': return this.#erred(message as Error)
      case 'end': return this.#wasDestroyed ? this.#end() : this.#failed(new Error('Connection terminated unexpectedly'))
      case 'errorMessage': return this.#refused(message as Error & { code: string })
      case 'readyForQuery': return this.#ready()
      case 'dataRow':
        readState(this.state, (message as { fields: Array<string | null> }).fields)
        return true
      case 'rowDescription':
      case 'commandComplete': return true
      default: return false
    }
  }

  #erred (error: Error): boolean {
    // An error without a code is the client's own, in place of an answer: it has no password, for example.
    const isOwn = this.#isOwing && !('code' in error)
    if (!this.#isLeft) return isOwn || this._ending ? this.#end() : this.#failed(error)
    this.#tryNext()
    return true
  }

  #refused (error: Error & { readonly code: string }): boolean {
    // ReadyForQuery is about to follow: the next host must not see it.
    if (this.#isAsking) this.#refusal = error
    else return passing.test(error.code) ? this.#failed(error) : this.#end()
    return true
  }

  #ready (): boolean {
    if (this.#refusal !== undefined) return this.#failed(this.#refusal)
    if (this.#target !== 'any' && !isKnown(this.state)) {
      this.#isAsking = true
      super.query(askState)
      return true
    }
    const address = this.#address as HostAddress
    if (isFit(this.#target, this.state)) {
      remember(this.#hosts, address, 'fit')
      return this.#end()
    }
    remember(this.#hosts, address, 'unfit')
    if (this.#hosts.target === 'prefer-standby') this.#unpreferred.push(address)
    else this.#failures.push({ address, error: undefined, state: this.state })
    this.#leave(true)
    return true
  }

  #failed (error: Error): true {
    const address = this.#address as HostAddress
    remember(this.#hosts, address, 'unreachable')
    this.#failures.push({ address, error, state: this.state })
    this.#leave(false)
    return true
  }

  /** Leaves the current host for the next one. */
  #leave (isOpen: boolean): void {
    clearTimeout(this.#timer)
    const sockets = [this.stream, this.#socket]
    const destroy = (): void => { for (const socket of sockets) socket.destroy() }
    for (const socket of sockets) socket.removeAllListeners().on('error', () => {})
    if (isOpen) this.#socket.setTimeout(farewellMillis, destroy).unref()
    // Without Terminate, the server would log an error.
    if (isOpen) this.stream.end(terminate, destroy)
    else destroy()
    if (this.#isOwing) this.#isLeft = true
    else this.#tryNext()
  }

  /** Whether the client, or its pool, has ended this connection. If a server or the network did, a socket has an end or an error. */
  get #wasDestroyed (): boolean {
    return this._ending || [this.stream, this.#socket].every(({ readableEnded, errored }) => !readableEnded && errored === null)
  }

  /** Ends the search: from now on the client sees every event, this one included. */
  #end (): false {
    clearTimeout(this.#timer)
    this.#isSearching = false
    this.emit = super.emit
    return false
  }

  #giveUp (): void {
    this.#end()
    const [failure, ...others] = this.#failures
    const own = others.length === 0 && this.#hosts.addresses.length === 1 ? failure?.error : undefined
    this.emit('error', own ?? new HostsError(this.#hosts, this.#failures))
    this.emit('end')
  }
}
