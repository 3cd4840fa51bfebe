import { parseToken } from '../../replicas/commit-token.js'
import type { TransactionSettings } from '../../settings/transaction-options.js'
import type { CommitToken } from '../../replicas/commit-token.js'
import type { Replica } from '../../replicas/replica.js'
import type { Replicas } from '../../replicas/replicas.js'

/**
 * Where the reads of one session go: to one replica, always the same, until one has to go to the primary. From then on all go there,
 * because rows must not become older within a session.
 */
export class ReplicaRoute {
  readonly #replicas: Replicas
  /** Whether a whole transaction runs on the replica. */
  readonly isWhole: boolean
  #token: CommitToken | undefined
  #replica: Replica | undefined
  #isLeft = false
  /** Whether the transaction is on a replica that has answered nothing yet, so that the primary can still run it all. */
  isMovable = false

  constructor (replicas: Replicas, isWhole: boolean) {
    this.#replicas = replicas
    this.isWhole = isWhole
  }

  /** The replica that answers now; undefined: the primary answers. */
  get replica (): Replica | undefined {
    if (this.#isLeft) return undefined
    // The snapshot of a transaction may be older than an answer of a guard in it, so the replica must have come that far before.
    if (this.#replica === undefined) this.#replica = this.#replicas.choose(this.#token, this.isWhole)
    else if (!this.#replicas.mayServe(this.#replica, this.#token)) this.#replica = undefined
    this.#isLeft = this.#replica === undefined
    return this.#replica
  }

  /** The position that a read must see, if it follows a commit. */
  get position (): bigint | undefined { return this.#token?.position }

  /** Later reads follow the commit of this token. If the text is not a token, they go to the primary. */
  follow (text: unknown): void {
    this.#token = parseToken(text)
    if (this.#token === undefined) this.leave()
  }

  /** The transaction runs on a replica, or on the primary. */
  lent (replica: Replica | undefined): void { this.isMovable = replica !== undefined }

  /** The transaction has answered a statement; an opening one has no rows. */
  answered (isOpening: boolean): void { if (!isOpening) this.isMovable = false }

  /** Everything goes to the primary from now on. */
  leave (): void {
    this.#isLeft = true
    this.isMovable = false
  }
}

/** The route of a session with these settings; undefined if everything goes to the primary. */
export function routeOf (replicas: Replicas | undefined, { onReplica }: TransactionSettings): ReplicaRoute | undefined {
  return onReplica === 'nothing' || replicas === undefined ? undefined : new ReplicaRoute(replicas, onReplica === 'transaction')
}
