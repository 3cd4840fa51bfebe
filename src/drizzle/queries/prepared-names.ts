/** What PostgreSQL keeps of a name, in bytes. */
const longestName = 63

/** More names than a connection keeps, by far; a program that makes one for each value gets no more. */
const mostNames = 1000

/** What a name stands for. */
interface Named {
  readonly text: string
  /** The columns by which its answers are read in another way than Drizzle's. */
  readonly readBy: readonly unknown[]
}

/**
 * The names that a program gives to its statements by `.prepare('name')`. PostgreSQL keeps a statement and a connection the way to
 * read its rows by the name, so one name stands for one statement: another that is given the same is sent without.
 */
export class PreparedNames {
  readonly #known = new Map<string, Named>()

  /** The name under which a statement may be sent; undefined for one without. */
  keep (name: string | undefined, { text, readBy }: Named): string | undefined {
    if (name === undefined || name === '' || name.startsWith('data_access_') || Buffer.byteLength(name) > longestName) return undefined
    const known = this.#known.get(name)
    if (known === undefined && this.#known.size < mostNames) this.#known.set(name, { text, readBy })
    else if (known?.text !== text || known.readBy.length !== readBy.length || !readBy.every((column, place) => column === known.readBy[place])) return undefined
    return name
  }
}
