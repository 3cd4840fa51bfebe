import { inspect } from 'node:util'
import { ConnectionError, DatabaseError, SettingsError } from '../../src/index.js'
import { ignore } from '../../src/runtime/promises.js'
import { notes } from './notes.js'
import type { Test } from 'tap'

/** A text that no message may contain. */
const secret = 'hunter2'

class Foreign { readonly foreign = secret }

/** Values that a program may pass by mistake, by their names: variables that were never set, forgotten calls and awaits, mixed-up values. */
const mistakes = {
  undefined,
  null: null,
  false: false,
  0: 0,
  NaN,
  "''": '',
  text: secret,
  '[]': [],
  '[null]': [null],
  '{}': {},
  blank: Object.create(null) as object,
  strange: { strange: secret },
  foreign: new Foreign(),
  function: () => ({}),
  symbol: Symbol(secret),
  bigint: 7n,
  date: new Date(0),
  schema: { notes },
  table: notes,
  promise: Promise.resolve({}),
  map: new Map()
}

/** The name of a mistake. */
export type Mistake = `${keyof typeof mistakes}` | 'name'

/** A call that takes any mistake: `never`, because the types refuse most of them. */
export type Call = (mistake: never) => unknown

/** A call, and the values that are no mistake for it. With `name`, a text is the name of something, which a message may contain. */
export interface Row {
  readonly call: Call
  readonly works: readonly Mistake[]
}

/** A row of a matrix. */
export const takes = (call: Call, ...works: readonly Mistake[]): Row => ({ call, works })

/** The values that are no mistake for an optional option, and for an optional object of options. */
export const optional = ['undefined'] as const
export const options = ['undefined', '{}', 'blank'] as const

/** The same call for each of some names. */
export function each<Name extends string> (names: readonly Name[], title: (name: Name) => string, row: (name: Name) => Row): Record<string, Row> {
  return Object.fromEntries(names.map((name) => [title(name), row(name)]))
}

/** The names that no row calls: exports of a module, or methods of a class. */
export function missing (names: readonly string[], rows: Readonly<Record<string, Row>>): string[] {
  const called = new Set(Object.keys(rows).map((title) => /\w+(?=\()/.exec(title)?.[0]))
  return names.filter((name) => !called.has(name))
}

/** Messages of JavaScript and its engine for unchecked mistakes. */
const raw =
  /cannot (?:read|convert|destructure|set|mix)|is not (?:a function|iterable|a constructor|defined)|of undefined|undefined is not|maximum call stack|invalid value|\[object |\bNaN\b/i

/**
 * Makes a call with each of the mistakes, and returns every wrong outcome: an error that is not ours, an error about a failure of
 * ours or with a value in it, no answer at all, a mistake that was accepted, and a valid value that was refused.
 */
export async function misuse ({ call, works }: Row): Promise<string[]> {
  const complaints: string[] = []
  for (const [name, mistake] of Object.entries(mistakes)) {
    const outcome = await outcomeOf(call, mistake)
    const wrong = works.includes(name as Mistake) ? outcome && `is refused: ${inspect(outcome)}` : wrongWith(outcome, works.includes('name'))
    if (wrong !== undefined) complaints.push(`${name} ${wrong}`)
  }
  return complaints
}

function wrongWith (outcome: unknown, mayName: boolean): string | undefined {
  if (outcome === undefined) return 'works'
  if (!(outcome instanceof DatabaseError || outcome instanceof SettingsError) ||
    outcome instanceof ConnectionError ||
    outcome.code === 'DB_ERROR') return `is ${inspect(outcome)}`
  if (outcome.cause instanceof TypeError || outcome.cause instanceof RangeError) return `is a failure of ours: ${inspect(outcome.cause)}`
  if (raw.test(outcome.message) || outcome.message.length < 9) return `says: ${outcome.message}`
  return !mayName && outcome.message.includes(secret) ? `shows a value: ${outcome.message}` : undefined
}

const patienceMillis = 20_000

/** The error of a call; undefined if it worked. */
async function outcomeOf (call: Call, mistake: unknown): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const hangs = new Promise((_resolve, reject) => { timer = setTimeout(() => reject(new Error('no answer')), patienceMillis) })
  hangs.catch(ignore)
  try {
    await Promise.race([Promise.resolve(call(mistake as never)), hangs]) // as a program without types, or with a cast, does
    return undefined
  } catch (error) {
    return error ?? new Error('nothing was thrown')
  } finally {
    clearTimeout(timer)
  }
}

/** Asserts a matrix, with one test per row. */
export async function refuses (t: Test, rows: Readonly<Record<string, Row>>, after?: (t: Test, title: string) => Promise<unknown>): Promise<void> {
  for (const [title, row] of Object.entries(rows)) {
    const complaints = await misuse(row)
    t.strictSame(complaints, [], `${title} says what is wrong with every mistake`)
    await after?.(t, title)
  }
}
