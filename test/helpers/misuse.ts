import { inspect } from 'node:util'
import { ConnectionError, DatabaseError, SettingsError } from '../../src/index.js'
import { ignore } from '../../src/runtime/promises.js'
import { notes } from './notes.js'
import type { Test } from 'tap'

/** A text that no message may hold. */
const secret = 'hunter2'

class Foreign { readonly foreign = secret }

/** What a program may give by mistake, by its name: variables that were never set, forgotten calls and awaits, the wrong thing of several. */
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

/** A call that takes any of them: `never`, as its types refuse most. */
export type Call = (mistake: never) => unknown

/** A call, and the mistakes that are none there. With `name` a text is the name of something, which a message may hold. */
export interface Row {
  readonly call: Call
  readonly works: readonly Mistake[]
}

/** A row of a matrix. */
export const takes = (call: Call, ...works: readonly Mistake[]): Row => ({ call, works })

/** What is no mistake for an option, and for an object of options, that may be left out. */
export const optional = ['undefined'] as const
export const options = ['undefined', '{}', 'blank'] as const

/** The same call for each of some names. */
export function each<Name extends string> (names: readonly Name[], title: (name: Name) => string, row: (name: Name) => Row): Record<string, Row> {
  return Object.fromEntries(names.map((name) => [title(name), row(name)]))
}

/** The names that no row calls: of what a module exports, or of the methods of a class. */
export function missing (names: readonly string[], rows: Readonly<Record<string, Row>>): string[] {
  const called = new Set(Object.keys(rows).map((title) => /\w+(?=\()/.exec(title)?.[0]))
  return names.filter((name) => !called.has(name))
}

/** What a language and its engine say of a mistake that nobody has looked for. */
const raw =
  /cannot (?:read|convert|destructure|set|mix)|is not (?:a function|iterable|a constructor|defined)|of undefined|undefined is not|maximum call stack|invalid value|\[object |NaN/i

/**
 * Makes a call with each of the mistakes, and tells what is not as it should be: an error that is none of ours, one that tells of our
 * own failure or holds a value, no answer at all, and an answer to what should have been refused or a refusal of what works.
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

/** What a call threw or rejected with; undefined where it worked. */
async function outcomeOf (call: Call, mistake: unknown): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const hangs = new Promise((_resolve, reject) => { timer = setTimeout(() => reject(new Error('no answer')), patienceMillis) })
  hangs.catch(ignore)
  try {
    await Promise.race([Promise.resolve(call(mistake as never)), hangs]) // what a program without types, or a cast, gives
    return undefined
  } catch (error) {
    return error ?? new Error('nothing was thrown')
  } finally {
    clearTimeout(timer)
  }
}

/** Asserts a matrix, a test for each of its rows. */
export async function refuses (t: Test, rows: Readonly<Record<string, Row>>, after?: (t: Test, title: string) => Promise<unknown>): Promise<void> {
  for (const [title, row] of Object.entries(rows)) {
    const complaints = await misuse(row)
    t.strictSame(complaints, [], `${title} says what is wrong with every mistake`)
    await after?.(t, title)
  }
}
