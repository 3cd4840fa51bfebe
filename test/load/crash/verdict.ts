import { balanceAtStart } from './tables.js'
import type { Entry, Journal } from './journal.js'

/** The comparison of the replies to clients with the database. Each list names operations, or counts that do not add up. */
export interface Verdict {
  /** Acknowledged, but not stored. */
  readonly lost: string[]
  /** Refused, but stored. */
  readonly ghosts: string[]
  /** Stored in part; also balances and counters that do not match their rows. */
  readonly halves: string[]
}

/** A connection or pool that runs SQL and resolves with rows. */
export interface Queried {
  query<Row extends object> (text: string): Promise<Row[]>
}

interface Rows {
  readonly lefts: ReadonlySet<number>
  readonly rights: ReadonlySet<number>
}

/** Compares every operation of the journal with the database; nothing may be running any more. */
export async function judge (database: Queried, { entries }: Journal): Promise<Verdict> {
  const idsOf = async (table: string): Promise<Set<number>> => new Set((await database.query<{ id: number }>(`select id from ${table}`)).map(({ id }) => id))
  const rows: Rows = { lefts: await idsOf('lefts'), rights: await idsOf('rights') }
  const pick = (isSo: (entry: Entry, rows: Rows) => boolean): string[] => entries.filter((entry) => isSo(entry, rows)).map(nameOf)
  return { lost: pick(isLost), ghosts: pick(isGhost), halves: [...pick(isHalf), ...await wrongSums(database)] }
}

function isLost ({ id, fate, operation }: Entry, { lefts, rights }: Rows): boolean {
  return fate === 'acknowledged' && !(lefts.has(id) && (rights.has(id) || !operation.hasRight))
}

function isGhost ({ id, fate }: Entry, { lefts, rights }: Rows): boolean {
  return fate === 'refused' && (lefts.has(id) || rights.has(id))
}

function isHalf ({ id, operation }: Entry, { lefts, rights }: Rows): boolean {
  return operation.hasRight ? lefts.has(id) !== rights.has(id) : rights.has(id)
}

function nameOf ({ id, operation: { kind }, fate, reason }: Entry): string {
  return `${kind} ${id} (${fate}: ${reason})`
}

async function wrongSums (database: Queried): Promise<string[]> {
  const rows = await database.query<{ text: string }>(`
    select 'balance of account ' || id as text from accounts
      where balance <> ${balanceAtStart} - (select count(*) from rights where source = accounts.id) + (select count(*) from rights where target = accounts.id)
    union all
    select 'value of counter ' || id from counters where value <> (select count(*) from rights where counter = counters.id)
  `)
  return rows.map(({ text }) => text)
}
