/** One named statement of a connection. */
export interface PreparedStatement {
  readonly name: string
  /**
   * `new`: PostgreSQL has never heard of it. `parsed`: PostgreSQL has answered what followed its text.
   * `doubtful`: something failed behind its text, and whether PostgreSQL has it is not known.
   */
  state: 'new' | 'parsed' | 'doubtful'
  /** How its rows are read: the columns of a named statement stay the same for as long as the connection knows it. */
  readRow: ((fields: ReadonlyArray<string | null>) => unknown) | undefined
  used: number
}

/** Each costs PostgreSQL about 20 KB of its backend's memory. */
export const mostNames = 100

/** The statements that PostgreSQL keeps by their names for one connection: a bounded number, the least used of which is closed. */
export class PreparedStatements {
  readonly #known = new Map<string, PreparedStatement>()
  #clock = 0

  /** What is known of a statement, which is used now. */
  use (name: string): PreparedStatement {
    let statement = this.#known.get(name)
    if (statement === undefined) {
      statement = { name, state: 'new', readRow: undefined, used: 0 }
      this.#known.set(name, statement)
    }
    statement.used = ++this.#clock
    return statement
  }

  /** The statement that was not used for longest, when there are too many: it has to be closed, and is known until {@link forget}. */
  surplus (): PreparedStatement | undefined {
    if (this.#known.size <= mostNames) return undefined
    let oldest: PreparedStatement | undefined
    for (const statement of this.#known.values()) if (oldest === undefined || statement.used < oldest.used) oldest = statement
    return oldest
  }

  /** PostgreSQL has forgotten a statement. */
  forget ({ name }: PreparedStatement): void { this.#known.delete(name) }

  /** PostgreSQL has forgotten all of them. */
  clear (): void { this.#known.clear() }
}
