/** The result of a subcommand. */
export interface Report {
  /** The document that `--json` prints. */
  readonly document: unknown
  /** The text that is printed without `--json`. */
  readonly text: string
  /** Whether something is pending or differs: exit code 3. */
  readonly isDue?: boolean
  /** Whether a part of the work has failed: exit code 1. */
  readonly isFailed?: boolean
}

/** A headline and the lines below it. */
export function lines (headline: string, more: readonly string[]): string {
  return [headline, ...more].join('\n')
}
