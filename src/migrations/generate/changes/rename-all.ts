import { interimName, isTakenIn, applyRename, renameStatements, splitKey, type Rename } from '../snapshots/rename.js'
import { identitySequences, renameIdentitySequence } from './identity-names.js'
import type { Snapshot } from '../snapshots/snapshot.js'

/** Statements that rename, and the snapshot to which they lead. */
export interface Renamed {
  readonly statements: readonly string[]
  readonly snapshot: Snapshot
}

/** Writes the statements for all renames, in order. */
export function renameAll (before: Snapshot, after: Snapshot, renames: readonly Rename[]): Renamed {
  const aside = moveAside(before, after)
  const statements: string[] = []
  let snapshot = before
  for (const rename of [...aside, ...renames.map((other) => startingAt(other, aside))]) {
    const freed = freeSequenceNames(snapshot, rename)
    statements.push(...freed.statements, ...renameStatements(rename, isTakenIn(freed.snapshot)))
    snapshot = applyRename(freed.snapshot, rename)
  }
  return { statements, snapshot }
}

const groups = { table: 'tables', sequence: 'sequences', enum: 'enums' } as const

/**
 * Gives interim names to objects whose names an object of another kind gets. They are renamed or dropped themselves, but perhaps only later. Tables, sequences
 * and types share one namespace.
 */
function moveAside (before: Snapshot, after: Snapshot): Rename[] {
  const kinds = Object.keys(groups) as Array<keyof typeof groups>
  return kinds.flatMap((kind) => Object.keys(before[groups[kind]]).flatMap((key): Rename[] => {
    const isReused = kinds.some((other) => other !== kind && Object.hasOwn(after[groups[other]], key))
    const [schema, name] = splitKey(key)
    return isReused ? [{ kind, from: key, to: `${schema}.${interimName(name)}` }] : []
  }))
}

function startingAt (rename: Rename, aside: readonly Rename[]): Rename {
  const former = aside.find(({ kind, from }) => kind === rename.kind && from === rename.from)
  return former === undefined ? rename : { ...rename, from: former.to }
}

/** A table that moves into another schema takes its identity sequences along. Their names must be free there. */
function freeSequenceNames (before: Snapshot, { kind, from, to }: Rename): Renamed {
  const [[fromSchema], [toSchema]] = [splitKey(from), splitKey(to)]
  if (kind !== 'table' || fromSchema === toSchema) return { statements: [], snapshot: before }
  const snapshot = structuredClone(before)
  const all = identitySequences(before)
  const isTaken = (key: string) => isTakenIn(before)(key) || all.some((sequence) => sequence.key === key)
  const statements = all.filter(({ owner, key }) => owner.startsWith(`${from}.`) && isTaken(`${toSchema}.${splitKey(key)[1]}`)).map((sequence) => {
    const name = interimName(splitKey(sequence.key)[1])
    snapshot.tables[from]!.columns[sequence.column]!.identity!.name = name
    return renameIdentitySequence(sequence, name)
  })
  return { statements, snapshot }
}
