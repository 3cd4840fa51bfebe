/** How a statement was sent. */
export interface Observed {
  readonly prelude: readonly string[]
  readonly durationMillis: number
}
