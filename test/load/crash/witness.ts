import { setTimeout as wait } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { Cluster } from './cluster.js'
import type { Entry } from './journal.js'

/** A broken promise that was observed. */
export interface Finding {
  /** `late`: the rows became visible after their reply. */
  readonly kind: 'late' | 'lost' | 'half'
  readonly text: string
}

/** How long a row may be late before it counts as lost, in milliseconds. */
const lateMillis = 500

/** Checks, over connections of its own, whether the reply that a client just received is true. */
export class Witness {
  readonly findings: Finding[] = []
  /** The number of checks that were possible. */
  looked = 0
  readonly #cluster: Cluster
  #pool: Pool
  /** The URL where it looks. */
  #at: string

  constructor (cluster: Cluster) {
    this.#cluster = cluster
    this.#pool = cluster.pool()
    this.#at = cluster.connectionString
  }

  /** Checks the rows of an operation that was just acknowledged; does nothing while PostgreSQL is away. */
  async look (entry: Entry): Promise<void> {
    const sides = await this.#sides(entry)
    if (sides === undefined) return
    this.looked++
    if (isWhole(entry, sides)) return
    await wait(lateMillis)
    const later = await this.#sides(entry)
    if (later === undefined) return
    const kind = isWhole(entry, later) ? 'late' : later.left || later.right ? 'half' : 'lost'
    this.findings.push({ kind, text: `${entry.operation.kind} ${entry.id} was acknowledged, and ${texts[kind]}` })
  }

  async #sides ({ id }: Entry): Promise<Sides | undefined> {
    this.#follow()
    try {
      const { rows } = await this.#pool.query<Sides>(
        'select exists (select from lefts where id = $1) as left, exists (select from rights where id = $1) as right',
        [id]
      )
      return rows[0]
    } catch {
      return undefined
    }
  }

  /** Switches to the server that has taken over. */
  #follow (): void {
    if (this.#at === this.#cluster.connectionString) return
    this.#pool.end().catch(() => {})
    this.#pool = this.#cluster.pool()
    this.#at = this.#cluster.connectionString
  }

  close (): Promise<void> {
    return this.#pool.end()
  }
}

/** The stored rows. */
export interface Sides {
  readonly left: boolean
  readonly right: boolean
}

const texts = {
  late: 'its rows were not there yet',
  lost: 'its rows are not there',
  half: 'only some of its rows are there'
}

function isWhole ({ operation }: Entry, { left, right }: Sides): boolean {
  return left && right === operation.hasRight
}
