import { setTimeout as wait } from 'node:timers/promises'
import { abandon, send } from './client.js'
import type { Entry, Journal } from './journal.js'
import type { Operation } from './operations.js'
import type { Program } from './program.js'
import type { Random } from './random.js'
import type { Witness } from './witness.js'

/** The behaviour of the clients. */
export interface LoadOptions {
  readonly operations: readonly Operation[]
  /** The number of concurrent clients. */
  readonly workers: number
  /** Their longest pause between two requests. */
  readonly pauseMillis: number
  /** One in this many acknowledged operations is looked up at once. */
  readonly lookEvery: number
}

/** The surroundings of the clients. */
export interface Scene {
  readonly program: Program
  readonly journal: Journal
  readonly witness: Witness
  readonly random: Random
}

/** One in this many requests is abandoned before its reply. */
const abandonEvery = 25

/** Clients that request one operation after the other from the subject, until they are stopped. */
export class Load {
  /** The number of requests without a reply in time. */
  hung = 0
  readonly #options: LoadOptions
  readonly #scene: Scene
  readonly #deck: readonly Operation[]
  #isOver = false
  #workers: Promise<void>[] = []
  readonly #awaiting = new Set<(startedAt: number) => void>()

  constructor (options: LoadOptions, scene: Scene) {
    this.#options = options
    this.#scene = scene
    this.#deck = options.operations.flatMap((operation) => Array.from({ length: operation.weight }, () => operation))
  }

  start (): void {
    this.#workers = Array.from({ length: this.#options.workers }, () => this.#work())
  }

  async stop (): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#workers)
  }

  /** Resolves with the time of the first success of a request sent from now on; undefined if there is none in time. */
  async nextSuccess (timeoutMillis: number): Promise<number | undefined> {
    const now = performance.now()
    let listen: (startedAt: number) => void = () => {}
    const success = new Promise<number>((resolve) => {
      listen = (startedAt) => { if (startedAt >= now) resolve(performance.now()) }
    })
    this.#awaiting.add(listen)
    const moment = await Promise.race([success, wait(timeoutMillis, undefined, { ref: false })])
    this.#awaiting.delete(listen)
    return moment
  }

  async #work (): Promise<void> {
    const { program, journal, random } = this.#scene
    while (!this.#isOver) {
      await wait(random.below(this.#options.pauseMillis + 1))
      const port = await program.port
      const operation = this.#deck[random.below(this.#deck.length)]
      if (operation === undefined) return
      const entry = journal.begin(operation)
      const path = `/${operation.kind}/${entry.id}`
      if (random.below(abandonEvery) === 0) {
        await abandon(port, path, { afterMillis: random.below(20), reset: random.next() < 0.5 })
        journal.settle(entry, 'unknown', 'abandoned')
      } else {
        await this.#request(port, path, entry)
      }
    }
  }

  async #request (port: number, path: string, entry: Entry): Promise<void> {
    const { journal, witness, random } = this.#scene
    const startedAt = performance.now()
    const reply = await send(port, path)
    if (reply === 'hung') this.hung++
    if (reply === undefined || reply === 'hung') return journal.settle(entry, 'unknown', reply ?? 'no reply')
    if (!reply.isWhole && !(reply.status < 300 && entry.operation.isToldByHeaders)) return journal.settle(entry, 'unknown', 'broken off')
    if (reply.status < 300) {
      journal.settle(entry, 'acknowledged', `${reply.status}`)
      for (const listen of this.#awaiting) listen(startedAt)
      if (random.below(this.#options.lookEvery) === 0) await witness.look(entry)
    } else {
      const code = codeOf(reply.body)
      journal.settle(entry, code === 'DB_COMMIT_UNKNOWN' ? 'unknown' : 'refused', `${reply.status} ${code}`)
    }
  }
}

function codeOf (body: string): string {
  const { code = 'without a code' } = JSON.parse(body) as { code?: string }
  return code
}
