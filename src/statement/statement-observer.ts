/** How a statement was sent. */
export interface Observed {
  readonly lead: readonly string[]
  readonly durationMillis: number
}
