/** What a subcommand came to. */
export interface Report {
  /** For pipelines: `--json`. */
  readonly document: unknown
  /** For people. */
  readonly text: string
  /** Whether something is left to be done: exit code 3. */
  readonly isDue?: boolean
}

/** A headline with what belongs to it. */
export function lines (headline: string, more: readonly string[]): string {
  return [headline, ...more].join('\n')
}
