import { findDataLoss } from './data-loss.js'
import { reverseRenames } from './snapshots/rename.js'
import { sqlText, diffStatements, type Diff } from './changes/diff-statements.js'
import type { DrizzleKit } from './model/drizzle-kit.js'

/** A way back, as it is written to a file. */
export interface DownFile {
  /** The text of `<tag>.down.sql`. */
  readonly text: string
  /** What it cannot bring back; rollbacks over it want to be confirmed. Empty where it restores everything. */
  readonly irreversible: readonly string[]
}

/** The way back from a migration: the same comparison the other way round. */
export async function downFileOf (kit: DrizzleKit, { before, after, renames }: Diff): Promise<DownFile> {
  const back: Diff = { before: after, after: before, renames: reverseRenames(renames) }
  const { lost, converted } = findDataLoss({ before, after, renames })
  const { lost: dropped } = findDataLoss(back)
  const irreversible = [...lost.map(({ text }) => text), ...converted]
  const comments = [
    ...irreversible.map((what) => `-- data-access: irreversible ${what}`),
    // To drop what the migration added needs no confirmation, but readers should know.
    ...dropped.map(({ comment }) => `-- ${comment}`)
  ]
  const sql = sqlText(await diffStatements(kit, back))
  return { text: `${[...comments, sql].join('\n')}\n`, irreversible }
}

/** A way back that undoes less or more than its migration did: a mark says so, and whoever runs it has to confirm. */
export function markIrreversible ({ text, irreversible }: DownFile, reasons: readonly string[]): DownFile {
  const lines = reasons.map((what) => `-- data-access: irreversible ${what}`)
  return {
    text: [...lines, '-- The SQL of this migration is not just what its snapshots say. Read through what stands below, write what is missing, and remove the lines above when it undoes everything.', text].join('\n'),
    irreversible: [...reasons, ...irreversible]
  }
}

const unknown = 'what SQL written by hand has done: its way back is not written yet'

/** Stands in for the way back from SQL that was written by hand: it is not known, so that no rollback should take it for done. */
export const customDownFile: DownFile = {
  text: `-- data-access: irreversible ${unknown}
-- Write it here, and remove the line above. Without any statement this file then says that there is nothing to undo.
`,
  irreversible: [unknown]
}
