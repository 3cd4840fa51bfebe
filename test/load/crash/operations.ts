/** The operations of the clients: each is a route of the subject, `POST /<kind>/<id>`. */
export interface Operation {
  readonly kind: string
  /** How often it is chosen, relative to the others. */
  readonly weight: number
  /** Whether it also leaves a row on the right side. */
  readonly hasRight: boolean
  /** Whether its reply is a stream that begins after COMMIT: the headers of success are the acknowledgement, even if the rest fails. */
  readonly isToldByHeaders?: boolean
}

/** The operations that need only SQL and one transaction. */
export const plainOperations: readonly Operation[] = [
  { kind: 'pair', weight: 6, hasRight: true },
  { kind: 'transfer', weight: 3, hasRight: true },
  { kind: 'increment', weight: 3, hasRight: true },
  // The first fails at COMMIT, the second in a statement that the handler swallows.
  { kind: 'orphan', weight: 1, hasRight: true },
  { kind: 'swallowed', weight: 1, hasRight: true }
]

/** The operations that need this package. */
export const ownOperations: readonly Operation[] = [
  ...plainOperations,
  { kind: 'serializable', weight: 2, hasRight: true },
  { kind: 'nested', weight: 2, hasRight: false },
  { kind: 'resolved', weight: 2, hasRight: true },
  { kind: 'unawaited', weight: 1, hasRight: true },
  { kind: 'unsendable', weight: 1, hasRight: true },
  { kind: 'hookBefore', weight: 1, hasRight: true },
  { kind: 'hookBehind', weight: 1, hasRight: true },
  { kind: 'hookRepeated', weight: 3, hasRight: true },
  { kind: 'hookPromised', weight: 3, hasRight: true },
  { kind: 'audited', weight: 1, hasRight: true },
  { kind: 'announced', weight: 1, hasRight: false },
  { kind: 'streamed', weight: 2, hasRight: true, isToldByHeaders: true },
  { kind: 'streamedTooSoon', weight: 1, hasRight: true },
  { kind: 'streamedAtEnd', weight: 2, hasRight: true },
  { kind: 'streamedSized', weight: 1, hasRight: true },
  { kind: 'streamedOrphan', weight: 1, hasRight: true }
]

/** The accounts and the counter of an operation, derived from its id. */
export function subjectsOf (id: number, few: number): { source: number, target: number, counter: number } {
  return { source: id % few + 1, target: (id + 1 + Math.floor(id / few) % (few - 1)) % few + 1, counter: id * 5 % few + 1 }
}
