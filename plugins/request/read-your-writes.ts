/** Carries the token of a commit from a reply to the later requests of the same client, in a cookie or a header. */
import { checkSettings } from '../../src/errors/check-call.js'
import { SettingsError } from '../../src/errors/settings-error.js'
import { unknownPosition } from '../../src/replicas/commit-token.js'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OptionCheck } from '../../src/runtime/option-checks.js'
import type { Session } from '../../src/session/session.js'

/** Where the token of a commit travels: in a cookie that browsers return by themselves, or in a header that clients return. */
export type ReadYourWritesOptions = { readonly cookie: string, readonly header?: undefined } | { readonly header: string, readonly cookie?: undefined }

/** The part of the common options that is about tokens. */
export interface ReadYourWritesPluginOptions {
  /**
   * Clients see their own writes, also in reads from replicas. A reply whose request has committed carries a token in this cookie or
   * header; a request that returns it reads from no replica that lacks the commit.
   * @defaultValue none
   * @example
   * ```ts
   * await server.register(dataAccess, { replicas, transaction: { reads: 'replica' }, readYourWrites: { cookie: 'last-write' } })
   * ```
   */
  readonly readYourWrites?: ReadYourWritesOptions | undefined
}

/** How long a browser keeps the cookie, in seconds: no replica that serves reads lags that far. */
const cookieSeconds = 3600

/** A name of a header, and of a cookie. https://www.rfc-editor.org/rfc/rfc9110#name-tokens */
const name: OptionCheck = [(value) => typeof value === 'string' && /^[\w!#$%&'*+\-.^`|~]+$/.test(value), 'must be a name of letters, digits and hyphens']

/** A place for tokens in requests and replies. */
interface TokenPlace {
  /** The token of a request; undefined if it has none. */
  read (request: FastifyRequest): unknown
  write (reply: FastifyReply, token: string): void
}

/** Passes tokens from requests to their sessions, and from sessions to replies. */
export class TokenCarrier {
  readonly #place: TokenPlace

  constructor (place: TokenPlace) {
    this.#place = place
  }

  /** The session reads what the client has written before. */
  receive (request: FastifyRequest, session: Session): void {
    const token = this.#place.read(request)
    if (token !== undefined) session.readAfter(token)
  }

  /**
   * The client will read what the session has committed, or may have. A commit that follows the reply has no position yet, and a
   * stream may write while it is sent.
   */
  send (reply: FastifyReply, session: Session, isStreaming: boolean): void {
    const commitsLater = !session.isSettled && (isStreaming || !session.hasNothingToCommit)
    const text = session.token ?? (commitsLater ? unknownPosition : undefined)
    if (text !== undefined) this.#place.write(reply, text)
  }
}

/**
 * The carrier of tokens; undefined without the option.
 *
 * @throws {SettingsError} unless exactly one place is named
 */
export function tokenCarrier (options: ReadYourWritesOptions | undefined): TokenCarrier | undefined {
  if (options === undefined) return undefined
  checkSettings({ path: 'readYourWrites' }, options, { cookie: name, header: name })
  const { cookie, header } = options
  if ((cookie === undefined) === (header === undefined)) throw new SettingsError('readYourWrites', "must name one place: { cookie: 'name' } or { header: 'name' }")
  return new TokenCarrier(header === undefined ? inCookie(`${cookie}`) : inHeader(header.toLowerCase()))
}

function inHeader (header: string): TokenPlace {
  return {
    read: ({ headers }) => headers[header],
    write: (reply, token) => { reply.header(header, token) }
  }
}

function inCookie (cookie: string): TokenPlace {
  return {
    read: ({ headers }) => (headers.cookie ?? '').split(';').map((pair) => pair.trim()).find((pair) => pair.startsWith(`${cookie}=`))?.slice(cookie.length + 1),
    // Fastify appends to the cookies that the reply has.
    write: (reply, token) => {
      const secure = reply.request.protocol === 'https' ? '; Secure' : ''
      reply.header('set-cookie', `${cookie}=${token}; Path=/; Max-Age=${cookieSeconds}; HttpOnly; SameSite=Lax${secure}`)
    }
  }
}
