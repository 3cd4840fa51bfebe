import { DatabaseError } from '../errors/errors.js'
import type { Statement, StatementRunner } from '../session/statement.js'
import { sendAll } from './bulk.js'
import type { Change } from './changes.js'
import { keyOf } from './conflict-target.js'
import { Increment } from './increment.js'
import { insertOrMeet, settle } from './insert-or-meet.js'
import type { InsertOrMeet, Meeting, Met } from './insert-or-meet.js'
import { GrowingLists, columnsOf, elementOf, fewRows, hasColumns } from './lists.js'
import type { Element, Lists } from './lists.js'
import { insertListsOnConflict } from './on-conflict.js'
import type { ColumnCodec, CreatedRow } from './rows.js'
import type { TableStatements } from './statements.js'

/** Rows one after another that have the same columns and are met in the same way. */
interface Run {
  readonly meeting: Meeting
  readonly codecs: readonly ColumnCodec[]
  /** The values of each row, in the order of the columns. */
  readonly rows: Array<readonly unknown[]>
  /** The keys of the rows, no two of them the same; undefined where the rows cannot be lists. */
  readonly keys: Set<string> | undefined
}

/** How many rows that are no lists are under way together: several messages to PostgreSQL, and not all of them in memory. */
const mostTogether = 200

/** How many rows in lists are kept, or undone together to be sent by themselves. */
const mostListed = 32_000

/** PostgreSQL's cardinality_violation: rows of a list have the same key, though its texts differ. */
const sameKeyTwice = '21000'

/** Takes the rows of an upsert, and sends them in their order: as lists where these are worth it, the others each by itself. */
export class UpsertRuns {
  readonly #table: TableStatements
  readonly #runs: Run[] = []

  constructor (table: TableStatements) {
    this.#table = table
  }

  /** @throws ValidationError where the key of the row is not complete */
  add (meeting: Meeting, changes: readonly Change[]): void {
    // Keys that only look the same are merely kept apart.
    const key = keyOf(meeting.target, changes).join()
    const codecs = columnsOf(changes)
    const values = changes.map(([, value]) => value)
    const isListable = !meeting.mayLeave && changes.every(([codec, value]) => elementOf(codec, value) !== undefined)
    const last = this.#runs.at(-1)
    if (isListable && last?.keys?.has(key) === false && hasColumns(last.codecs, codecs) && isSame(last.meeting.set, meeting.set)) {
      last.rows.push(values)
      last.keys.add(key)
    } else {
      this.#runs.push({ meeting, codecs, rows: [values], keys: isListable ? new Set([key]) : undefined })
    }
  }

  /** Sends what was taken, inside a scope where all of it or nothing is kept. */
  async send (session: StatementRunner): Promise<Met[]> {
    const all: Met[] = []
    let singles: InsertOrMeet[] = []
    const settled = async (): Promise<void> => {
      for (const met of await settleSingles(session, singles)) all.push(met)
      singles = []
    }
    for (const run of this.#runs) {
      if (run.keys !== undefined && run.rows.length >= fewRows) {
        await settled()
        while (run.rows.length > 0) for (const met of await this.#settleLists(session, run)) all.push(met)
      } else {
        for (const values of run.rows) singles.push(this.#single(run, values))
        if (singles.length >= mostTogether) await settled()
      }
    }
    await settled()
    return all
  }

  /** Settles the first rows of a run, and takes them out of it. */
  async #settleLists (session: StatementRunner, run: Run): Promise<Met[]> {
    const rows = run.rows.splice(0, mostListed)
    const written = await this.#writeLists(session, run, rows)
    if (written !== undefined) return written.map((result) => ({ result, written: true }))
    return await settleSingles(session, rows.map((values) => this.#single(run, values)))
  }

  /** The rows as written, in order; undefined where PostgreSQL did not write each of them, and none is: then they have to be asked for one by one. */
  async #writeLists (session: StatementRunner, { meeting, codecs }: Run, rows: Run['rows']): Promise<CreatedRow[] | undefined> {
    let listed = 0
    const next = (): Statement | undefined => {
      if (listed === rows.length) return undefined
      const lists = listsOf(codecs, rows, listed)
      listed += lists.rows
      return insertListsOnConflict(this.#table, meeting, lists)
    }
    try {
      return await session.transaction(async (scope) => {
        const written = await sendAll<CreatedRow>(scope, next)
        if (written.length < rows.length) throw new NotAllWritten()
        return written
      })
    } catch (error) {
      if (error instanceof NotAllWritten || (error instanceof DatabaseError && error.context.sqlState === sameKeyTwice)) return undefined
      throw error
    }
  }

  #single ({ meeting, codecs }: Run, values: readonly unknown[]): InsertOrMeet {
    return insertOrMeet(this.#table, meeting, codecs.map((codec, place) => [codec, values[place]]))
  }
}

/** As many rows as one statement takes. */
function listsOf (codecs: readonly ColumnCodec[], rows: Run['rows'], start: number): Lists {
  const lists = new GrowingLists(codecs)
  for (let index = start; index < rows.length && !lists.isFull; index++) {
    lists.add(codecs.map((codec, place) => elementOf(codec, rows[index]?.[place]) as Element)) // as it was when it came
  }
  return lists.close()
}

/** Nothing of a list is kept unless each of its rows was written. */
class NotAllWritten extends Error {}

/** Each waits for none of its answers: those that travel together are carried out in order. */
async function settleSingles (session: StatementRunner, singles: readonly InsertOrMeet[]): Promise<Met[]> {
  const all: Met[] = []
  const isFollowed = singles.length > 1
  for (let start = 0; start < singles.length; start += mostTogether) {
    for (const met of await Promise.all(singles.slice(start, start + mostTogether).map((one) => settle(session, one, { isFollowed })))) all.push(met)
  }
  return all
}

/** Whether the same is written. */
function isSame (some: readonly Change[], others: readonly Change[]): boolean {
  return some.length === others.length && some.every(([codec, value], place) => {
    const [otherCodec, other] = others[place] as Change
    return codec === otherCodec && (value === other || (value instanceof Increment && other instanceof Increment && value.by === other.by))
  })
}
