import type { Operation } from './operations.js'

/** The state of an operation for its client: success reported, failure reported, or neither. */
export type Fate = 'acknowledged' | 'refused' | 'unknown'

export interface Entry {
  readonly id: number
  readonly operation: Operation
  fate: Fate
  /** The status and code of the refusal. */
  reason: string
}

/** The replies to clients, to be compared with the database. */
export class Journal {
  readonly entries: Entry[] = []
  /** How often each reason was given. */
  readonly reasons = new Map<string, number>()
  readonly counts: Record<Fate, number> = { acknowledged: 0, refused: 0, unknown: 0 }

  /** Begins an operation; its fate is unknown until its client receives a reply. */
  begin (operation: Operation): Entry {
    const entry: Entry = { id: this.entries.length + 1, operation, fate: 'unknown', reason: '' }
    this.entries.push(entry)
    return entry
  }

  /** Records the reply to a client, or that there will be none. */
  settle (entry: Entry, fate: Fate, reason: string): void {
    entry.fate = fate
    entry.reason = reason
    this.counts[fate]++
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1)
  }

  /** The number of operations of a kind that have this fate. */
  count (kind: string, wanted: Fate): number {
    return this.entries.filter(({ operation, fate }) => operation.kind === kind && fate === wanted).length
  }
}
