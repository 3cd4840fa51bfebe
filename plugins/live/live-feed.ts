import { watchActivity } from '../../src/activity/watch-activity.js'
import type { ServerResponse } from 'node:http'
import type { ActivityView } from '../../src/activity/watch-activity.js'
import type { Database } from '../../src/database/database.js'

/** How often the pages are told, in milliseconds. */
const intervalMillis = 1000

/** The part of a response that a feed needs; that of HTTP/2 has it, too. */
export type Reader = Pick<ServerResponse, 'write' | 'end' | 'destroy' | 'once' | 'writableNeedDrain'>

/** How many events a reader may miss before its connection is closed. */
const mostMissed = 30

/**
 * Tells all open pages of a database once a second what it does. They share one watch of it, which ends with the last page, and each event is written as JSON once.
 *
 * A reader that is slow gets no event until it has taken the one before, so that nothing piles up for it. One that takes nothing for half a minute is cut off.
 */
export class LiveFeed {
  readonly #database: Database
  /** The readers, and how many events each has missed since it last took one. */
  readonly #readers = new Map<Reader, number>()
  #view: ActivityView | undefined
  #timer: NodeJS.Timeout | undefined
  #ending: Promise<void> | undefined
  #closed = false

  constructor (database: Database) {
    this.#database = database
  }

  /** Sends a reader what the database does now, and again once a second, until it leaves or the feed closes. */
  add (reader: Reader): void {
    if (this.#closed) {
      reader.end()
      return
    }
    this.#view ??= watchActivity(this.#database)
    this.#timer ??= setInterval(() => this.#tell(), intervalMillis).unref()
    this.#readers.set(reader, 0)
    reader.once('close', () => this.#remove(reader))
    reader.write(eventOf(this.#view))
  }

  /** Ends all pages, so that a closing server need not wait for them. */
  async close (): Promise<void> {
    this.#closed = true
    for (const reader of [...this.#readers.keys()]) {
      this.#remove(reader)
      reader.end()
    }
    await this.#ending
  }

  #tell (): void {
    const event = eventOf(this.#view as ActivityView) // the timer ends with the view
    for (const [reader, missed] of this.#readers) {
      if (!reader.writableNeedDrain) {
        this.#readers.set(reader, 0)
        reader.write(event)
      } else if (missed < mostMissed) {
        this.#readers.set(reader, missed + 1)
      } else {
        this.#remove(reader)
        reader.destroy()
      }
    }
  }

  #remove (reader: Reader): void {
    if (!this.#readers.delete(reader) || this.#readers.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#ending = this.#view?.end()
    this.#view = undefined
  }
}

function eventOf (view: ActivityView): string {
  return `data: ${JSON.stringify(view.current())}\n\n`
}
