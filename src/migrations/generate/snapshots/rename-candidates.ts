import { tablePairs } from './snapshot-parts.js'
import type { Rename } from './rename.js'
import type { Named, Snapshot } from './snapshot.js'

/** The new and the gone objects of one kind in one place. Each new one may be a renamed old one. */
export interface RenameCandidates {
  readonly kind: Rename['kind'] | 'other'
  /** The table, for columns. */
  readonly table?: string
  readonly added: readonly string[]
  readonly gone: readonly string[]
}

/** Finds the places where objects of one kind were both added and removed. drizzle-kit would ask there whether one was renamed. */
export function findRenameCandidates (before: Snapshot, after: Snapshot): RenameCandidates[] {
  return [
    { kind: 'other', ...compare(before.schemas, after.schemas) } as const,
    { kind: 'enum', ...compare(before.enums, after.enums) } as const,
    { kind: 'sequence', ...compare(before.sequences, after.sequences) } as const,
    { kind: 'other', ...compare(before.roles, after.roles) } as const,
    { kind: 'table', ...compare(before.tables, after.tables) } as const,
    ...tablePairs(before, after).flatMap(([table, a, b]): RenameCandidates[] => [
      { kind: 'column', table, ...compare(a.columns, b.columns) },
      { kind: 'other', ...compare(a.policies, b.policies) }
    ]),
    { kind: 'other', ...compare(before.policies, after.policies) } as const,
    { kind: 'other', ...compare(before.views, after.views) } as const
  ].filter(({ added, gone }) => added.length > 0 && gone.length > 0)
}

function compare (before: Record<string, Named | string>, after: Record<string, Named | string>): { added: string[], gone: string[] } {
  return { added: without(after, before), gone: without(before, after) }
}

function without (group: Record<string, unknown>, others: Record<string, unknown>): string[] {
  return Object.keys(group).filter((key) => !Object.hasOwn(others, key))
}
