import type { Operation } from './operations.js'

/** What the client knows of an operation: it was told of success, or of failure, or neither. */
export type Fate = 'acknowledged' | 'refused' | 'unknown'

export interface Entry {
  readonly id: number
  readonly operation: Operation
  fate: Fate
  /** The status and code that it was refused with. */
  reason: string
}

/** What clients were told, to be held against what the database has. */
export class Journal {
  readonly entries: Entry[] = []
  /** How often each reason was given. */
  readonly reasons = new Map<string, number>()
  readonly counts: Record<Fate, number> = { acknowledged: 0, refused: 0, unknown: 0 }

  /** An operation begins: until its client hears more, nobody knows. */
  begin (operation: Operation): Entry {
    const entry: Entry = { id: this.entries.length + 1, operation, fate: 'unknown', reason: '' }
    this.entries.push(entry)
    return entry
  }

  /** A client has heard, or never will. */
  settle (entry: Entry, fate: Fate, reason: string): void {
    entry.fate = fate
    entry.reason = reason
    this.counts[fate]++
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1)
  }

  /** How many operations of a kind have a fate. */
  count (kind: string, wanted: Fate): number {
    return this.entries.filter(({ operation, fate }) => operation.kind === kind && fate === wanted).length
  }
}
