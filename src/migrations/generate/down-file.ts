import { noAuditChanges, withAudits } from './audit-changes.js'
import { findDataLoss } from './data-loss.js'
import { reverseRenames } from './snapshots/rename.js'
import { sqlText, diffStatements } from './changes/diff-statements.js'
import type { Kit } from './kit/kit.js'
import type { Diff } from './snapshots/diff.js'

/** The down file of a migration. */
export interface DownFile {
  /** The text of `<tag>.down.sql`. */
  readonly text: string
  /** What it cannot restore. If it is not empty, a rollback needs confirmation. */
  readonly irreversible: readonly string[]
}

/** Writes the way back from a migration: the same comparison in the other direction, and that of the audits. */
export async function downFileOf (kit: Kit, { before, after, renames }: Diff, audits = noAuditChanges): Promise<DownFile> {
  const back: Diff = { before: after, after: before, renames: reverseRenames(renames) }
  const { lost, converted } = findDataLoss({ before, after, renames })
  const { lost: dropped } = findDataLoss(back)
  const irreversible = [...lost.map(({ text }) => text), ...converted]
  const comments = [
    ...irreversible.map((what) => `-- data-access: irreversible ${what}`),
    // The way back also drops what the migration added. A rollback counts its rows, but the reader should know before.
    ...dropped.map(({ comment }) => `-- ${comment}`)
  ]
  const sql = sqlText(withAudits(await diffStatements(kit, back), audits.down))
  return { text: `${[...comments, sql].join('\n')}\n`, irreversible }
}

/** Adds `irreversible` directives to a way back that undoes less or more than its migration did. */
export function markIrreversible ({ text, irreversible }: DownFile, reasons: readonly string[]): DownFile {
  const lines = reasons.map((what) => `-- data-access: irreversible ${what}`)
  return {
    text: [...lines, '-- The SQL of this migration differs from its snapshots. Check the statements below, add what is missing, and remove the lines above when they undo everything.', text].join('\n'),
    irreversible: [...reasons, ...irreversible]
  }
}

const unknown = 'the effects of handwritten SQL: its way back is not written yet'

/** The placeholder for the unknown way back from handwritten SQL. A rollback refuses it without confirmation. */
export const customDownFile: DownFile = {
  text: `-- data-access: irreversible ${unknown}
-- Write it here, and remove the line above. A file without statements means that there is nothing to undo.
`,
  irreversible: [unknown]
}
