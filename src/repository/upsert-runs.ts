import { DatabaseError } from '../errors/errors.js'
import type { Statement, StatementRunner } from '../session/statement.js'
import { sendAll } from './bulk.js'
import type { Change } from './changes.js'
import { keyOf } from './conflict-target.js'
import { Increment } from './increment.js'
import { insertOrMeet, settle } from './insert-or-meet.js'
import type { InsertOrMeet, Meeting, Met } from './insert-or-meet.js'
import { GrowingLists, areColumnsOf, columnsOf, elementOf, fewRows } from './lists.js'
import type { Element } from './lists.js'
import { insertListsOnConflict } from './on-conflict.js'
import type { ColumnCodec, CreatedRow } from './rows.js'
import type { TableStatements } from './statements.js'

/** Rows one after another that have the same columns and are met in the same way. */
interface Run {
  readonly meeting: Meeting
  readonly codecs: readonly ColumnCodec[]
  /** In the order of the columns. */
  readonly rows: UpsertRow[]
  /** The keys of the rows, no two of them the same; undefined where the rows cannot be lists. */
  readonly keys: Set<string> | undefined
}

interface UpsertRow {
  readonly values: readonly unknown[]
  /** The values as elements of lists; undefined where not all can be. */
  readonly elements: readonly Element[] | undefined
}

/** How many rows are checked before anything is sent. */
const firstTaken = 8000

/** How many rows that are no lists are under way together: several messages to PostgreSQL, and not all of them in memory. */
const mostTogether = 200

/** How many rows in lists are kept, or undone together to be sent by themselves; fewer of them would let PostgreSQL wait between. */
const mostListed = 32_000

/** PostgreSQL's cardinality_violation: rows of a list have the same key, though its texts differ. */
const sameKeyTwice = '21000'

/** Takes the rows of an upsert, and sends them in their order: as lists where these are worth it, the others each by itself. */
export class UpsertRuns {
  readonly #table: TableStatements
  /** Those of which nothing is sent yet. */
  readonly #runs: Run[] = []
  /** The one that the next row may join. */
  #last: Run | undefined

  constructor (table: TableStatements) {
    this.#table = table
  }

  /** @throws ValidationError where the key of the row is not complete */
  add (meeting: Meeting, changes: readonly Change[]): void {
    // Keys that only look the same are merely kept apart.
    const key = keyOf(meeting.target, changes).join()
    const row = { values: changes.map(([, value]) => value), elements: meeting.mayLeave ? undefined : elementsOf(changes) }
    const last = this.#last
    if (last !== undefined && row.elements !== undefined && mayJoin(last, key) && areColumnsOf(last.codecs, changes) && isSame(last.meeting.set, meeting.set)) {
      last.rows.push(row)
      last.keys?.add(key)
    } else {
      this.#last = { meeting, codecs: columnsOf(changes), rows: [row], keys: row.elements && new Set([key]) }
      this.#runs.push(this.#last)
    }
  }

  /**
   * Sends the rows, inside a scope where all of them or none are kept; `more` has one more taken, and tells whether there was one.
   * They are taken some statements ahead of PostgreSQL, which is at work meanwhile.
   */
  async send (session: StatementRunner, more: () => boolean): Promise<Met[]> {
    const all: Met[] = []
    let singles: InsertOrMeet[] = []
    const settled = async (): Promise<void> => {
      for (const met of await settleSingles(session, singles)) all.push(met)
      singles = []
    }
    for (let taken = 0; taken < firstTaken && more(); taken++) continue
    for (let run = this.#next(more); run !== undefined; run = this.#next(more)) {
      if (isLong(run)) {
        await settled()
        for (const met of await this.#settleLists(session, run, more)) all.push(met)
      } else {
        for (const { values } of run.rows) singles.push(this.#single(run, values))
        if (singles.length >= mostTogether) await settled()
      }
    }
    await settled()
    return all
  }

  /** The next run, which is whole unless it is long. */
  #next (more: () => boolean): Run | undefined {
    while (this.#runs.every((run) => run === this.#last && !isLong(run)) && more()) continue
    return this.#runs.shift()
  }

  /** Takes one more row, and tells whether it belongs to a run. */
  #grow (run: Run, more: () => boolean): boolean {
    const { length } = run.rows
    return this.#last === run && more() && run.rows.length > length
  }

  async #settleLists (session: StatementRunner, run: Run, more: () => boolean): Promise<Met[]> {
    const written = await this.#writeLists(session, run, more)
    if (written !== undefined) return written.map((result) => ({ result, written: true }))
    // It may not have grown to its end.
    this.#last = this.#last === run ? undefined : this.#last
    return await settleSingles(session, run.rows.map(({ values }) => this.#single(run, values)))
  }

  /** The rows as written, in order; undefined where PostgreSQL did not write each of them, and none is: then they have to be asked for one by one. */
  async #writeLists (session: StatementRunner, run: Run, more: () => boolean): Promise<CreatedRow[] | undefined> {
    const { meeting, codecs, rows } = run
    let listed = 0
    const next = (): Statement | undefined => {
      const lists = new GrowingLists(codecs)
      while (!lists.isFull && (listed < rows.length || this.#grow(run, more))) lists.add(rows[listed++]?.elements as Element[]) // the run has keys
      return lists.rows === 0 ? undefined : insertListsOnConflict(this.#table, meeting, lists.close())
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

/** Whether it is worth lists. */
function isLong ({ keys, rows }: Run): boolean {
  return keys !== undefined && rows.length >= fewRows
}

/** Whether a row with this key can be listed with those of a run. */
function mayJoin ({ keys, rows }: Run, key: string): boolean {
  return keys?.has(key) === false && rows.length < mostListed
}

function elementsOf (changes: readonly Change[]): Element[] | undefined {
  const elements: Element[] = []
  for (const [codec, value] of changes) {
    const element = elementOf(codec, value)
    if (element === undefined) return undefined
    elements.push(element)
  }
  return elements
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
  return some === others || (some.length === others.length && some.every(([codec, value], place) => {
    const [otherCodec, other] = others[place] as Change
    return codec === otherCodec && (value === other || (value instanceof Increment && other instanceof Increment && value.by === other.by))
  }))
}
