/** The longest name in PostgreSQL, in bytes. */
const longestName = 63

/** The most names: far more than a connection keeps. A program that makes a name per value gets no more. */
const mostNames = 1000

/** The statement of a name. */
interface Named {
  readonly text: string
  /** The columns whose values are read differently from Drizzle. */
  readonly readBy: readonly unknown[]
}

/**
 * The names that a program gives to its statements with `.prepare('name')`. PostgreSQL keeps the statement by its name, and a
 * connection the reader of its rows, so a name belongs to one statement. Another statement with the same name is sent without one.
 */
export class PreparedNames {
  readonly #known = new Map<string, Named>()

  /** The name that a statement is sent with; undefined for a statement without one. */
  keep (name: string | undefined, { text, readBy }: Named): string | undefined {
    if (name === undefined || name === '' || name.startsWith('data_access_') || Buffer.byteLength(name) > longestName) return undefined
    const known = this.#known.get(name)
    if (known === undefined && this.#known.size < mostNames) this.#known.set(name, { text, readBy })
    else if (known?.text !== text || known.readBy.length !== readBy.length || !readBy.every((column, place) => column === known.readBy[place])) return undefined
    return name
  }
}
