import type { Logger } from '../runtime/logger.js'

/** A message that NOTIFY or `pg_notify()` has sent. */
export interface Notification {
  readonly channel: string
  /** Empty if none was sent; at most 7999 bytes, which is PostgreSQL's limit. */
  readonly payload: string
  /** The process of the server whose transaction sent it. */
  readonly processId: number
}

/** What a listener calls. */
export interface ListenerParts {
  readonly handler: (notification: Notification) => unknown
  readonly onGap: (() => unknown) | undefined
  readonly logger: Logger
  /** Makes the closing of the database wait for a call. */
  readonly track: (work: Promise<void>) => void
}

/** Calls one handler: for one notification after the other, in the order in which PostgreSQL sent them, with its gaps in between. */
export class Listener {
  readonly #parts: ListenerParts
  #queue: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor (parts: ListenerParts) {
    this.#parts = parts
  }

  get isClosed (): boolean { return this.#isClosed }

  deliver (notification: Notification): void {
    this.#queue = this.#queue.then(() => this.#call(() => this.#parts.handler(notification)))
  }

  /** Reports a gap as soon as the channel is listened to again; what comes later waits for `onGap`. */
  tellGap (renewed: Promise<void>): void {
    this.#queue = Promise.all([this.#queue, renewed]).then(() => this.#call(() => this.#parts.onGap?.()))
  }

  /** No call begins any more. */
  close (): void {
    this.#isClosed = true
  }

  async #call (fn: () => unknown): Promise<void> {
    if (this.#isClosed) return
    const work = new Promise<unknown>((resolve) => { resolve(fn()) }).then(() => {}, (err: unknown) => {
      this.#parts.logger.error({ err }, 'a handler of notifications, or its onGap, failed')
    })
    this.#parts.track(work)
    await work
  }
}
