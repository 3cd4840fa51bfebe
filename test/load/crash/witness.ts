import { setTimeout as wait } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { Cluster } from './cluster.js'
import type { Entry } from './journal.js'

/** A promise that was seen broken. */
export interface Finding {
  /** `late`: the rows came after the reply that told of them. */
  readonly kind: 'late' | 'lost' | 'half'
  readonly text: string
}

/** How long a row may be late before it counts as lost, in milliseconds. */
const lateMillis = 500

/** Looks, over connections of its own, whether what a client was just told is true. */
export class Witness {
  readonly findings: Finding[] = []
  /** How often it could look. */
  looked = 0
  readonly #cluster: Cluster
  #pool: Pool
  /** Where it looks. */
  #at: string

  constructor (cluster: Cluster) {
    this.#cluster = cluster
    this.#pool = cluster.pool()
    this.#at = cluster.connectionString
  }

  /** Looks after the rows of an operation that was acknowledged in this moment; sees nothing while PostgreSQL is away. */
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

  /** Looks at the server that has taken over. */
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

/** The rows that are there. */
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
