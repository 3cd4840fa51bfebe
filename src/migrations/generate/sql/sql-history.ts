import type { Disagreement } from './compare-sql.js'
import type { SqlChange } from './sql-changes.js'

/** What a change is about, and whether it makes or drops it. */
interface Subject {
  readonly key: string
  /** The table that takes it along when it goes. */
  readonly table?: string
  readonly verb: 'make' | 'drop' | 'change'
}

/** What the files of a folder have done, one after the other: what is there already, and what is not what its snapshots say. */
export class SqlHistory {
  readonly #made = new Map<string, string | undefined>()
  readonly #doubtful = new Set<string>()

  /** Those that do nothing, because a file before has made the same, and nothing of their own file has dropped it. */
  repeated (facts: readonly SqlChange[]): SqlChange[] {
    const gone = new Set<string>()
    return facts.filter(({ text, ifMissing }) => {
      const subjects = subjectsOf(text)
      for (const { key, verb } of subjects) if (verb === 'drop') gone.add(key)
      return ifMissing && subjects.some(({ key, table, verb }) => verb === 'make' && this.#made.has(key) && !gone.has(key) && !gone.has(`table ${table}`))
    })
  }

  /** Those that are about what a file before has left in another state than its snapshot says. */
  doubtful (facts: readonly SqlChange[]): SqlChange[] {
    return facts.filter(({ text }) => subjectsOf(text).some(({ key }) => this.#doubtful.has(key)))
  }

  /** Goes on behind a file. */
  add (facts: readonly SqlChange[], { onlySaid, onlyDone }: Disagreement): void {
    const differing = new Set([...onlySaid, ...onlyDone].flatMap(({ text }) => subjectsOf(text)).map(({ key }) => key))
    for (const { key, table, verb } of facts.flatMap(({ text }) => subjectsOf(text))) {
      if (verb === 'make') this.#made.set(key, table)
      if (verb === 'drop') this.#forget(key)
    }
    for (const key of differing) this.#doubtful.add(key)
  }

  #forget (key: string): void {
    for (const [other, table] of [...this.#made, [key, undefined] as const]) {
      if (other !== key && `table ${table}` !== key) continue
      this.#made.delete(other)
      this.#doubtful.delete(other)
    }
  }
}

const thing = /^(create|drop|alter) (?:or replace )?(?:unique )?(table|type|schema|sequence|view|materialized view|index|extension|domain) (\S+(?: \. \S+)?)(?: on (\S+(?: \. \S+)?))?/
const part = /^(\S+(?: \. \S+)?): (add|drop|alter|rename) (constraint )?(\S+)(?: to (\S+))?/

function subjectsOf (text: string): Subject[] {
  const [, verb, kind, name, table] = thing.exec(text) ?? []
  if (kind !== undefined) return [{ key: `${kind} ${name}`, verb: verbs[verb as keyof typeof verbs], ...table !== undefined && { table } }]
  const [, owner, action, constraint = '', member, newName] = part.exec(text) ?? []
  if (owner === undefined) return []
  const subject = (named: string, done: Subject['verb']): Subject => ({ key: `${owner}: ${constraint}${named}`, verb: done, table: owner })
  if (action !== 'rename') return [subject(member as string, verbs[action as keyof typeof verbs])]
  // The name of a table itself: all that is known of it goes by the old one.
  if (member === 'to') return [{ key: `table ${owner}`, verb: 'drop' }, { key: `table ${newName}`, verb: 'make' }]
  return [subject(member as string, 'drop'), subject(newName as string, 'make')]
}

const verbs = { create: 'make', add: 'make', drop: 'drop', alter: 'change', rename: 'change' } as const
