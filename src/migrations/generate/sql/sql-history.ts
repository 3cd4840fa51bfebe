import type { Disagreement } from './compare-sql.js'
import type { SqlChange } from './sql-changes.js'

/** The object of a change, and whether the change creates, drops or alters it. */
interface Subject {
  readonly key: string
  /** The table whose drop removes the object, too. */
  readonly table?: string
  readonly verb: 'make' | 'drop' | 'change'
}

/** The effects of a folder's files so far: the objects that exist, and those whose state differs from their snapshot. */
export class SqlHistory {
  readonly #made = new Map<string, string | undefined>()
  readonly #doubtful = new Set<string>()

  /** The changes without effect: an earlier file has created the object, and this file has not dropped it. */
  repeated (changes: readonly SqlChange[]): SqlChange[] {
    const gone = new Set<string>()
    return changes.filter(({ text, ifMissing }) => {
      const subjects = subjectsOf(text)
      for (const { key, verb } of subjects) if (verb === 'drop') gone.add(key)
      return ifMissing && subjects.some(({ key, table, verb }) => verb === 'make' && this.#made.has(key) && !gone.has(key) && !gone.has(`table ${table}`))
    })
  }

  /** The changes to objects that an earlier file left in another state than its snapshot has. */
  doubtful (changes: readonly SqlChange[]): SqlChange[] {
    return changes.filter(({ text }) => subjectsOf(text).some(({ key }) => this.#doubtful.has(key)))
  }

  /** Adds the changes of a file. */
  add (changes: readonly SqlChange[], { onlySaid, onlyDone }: Disagreement): void {
    const differing = new Set([...onlySaid, ...onlyDone].flatMap(({ text }) => subjectsOf(text)).map(({ key }) => key))
    for (const { key, table, verb } of changes.flatMap(({ text }) => subjectsOf(text))) {
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

const object = /^(create|drop|alter) (?:or replace )?(?:unique )?(table|type|schema|sequence|view|materialized view|index|extension|domain) (\S+(?: \. \S+)?)(?: on (\S+(?: \. \S+)?))?/
const part = /^(\S+(?: \. \S+)?): (add|drop|alter|rename) (constraint )?(\S+)(?: to (\S+))?/

function subjectsOf (text: string): Subject[] {
  const [, verb, kind, name, table] = object.exec(text) ?? []
  if (kind !== undefined) return [{ key: `${kind} ${name}`, verb: verbs[verb as keyof typeof verbs], ...table !== undefined && { table } }]
  const [, owner, action, constraint = '', member, newName] = part.exec(text) ?? []
  if (owner === undefined) return []
  const subject = (named: string, done: Subject['verb']): Subject => ({ key: `${owner}: ${constraint}${named}`, verb: done, table: owner })
  if (action !== 'rename') return [subject(member as string, verbs[action as keyof typeof verbs])]
  // A rename of the table itself: everything recorded about it has the old name.
  if (member === 'to') return [{ key: `table ${owner}`, verb: 'drop' }, { key: `table ${newName}`, verb: 'make' }]
  return [subject(member as string, 'drop'), subject(newName as string, 'make')]
}

const verbs = { create: 'make', add: 'make', drop: 'drop', alter: 'change', rename: 'change' } as const
