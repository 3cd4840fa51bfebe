import type { SQL } from 'drizzle-orm'

// Internals of Drizzle's SQL.

/** The decoder of an SQL expression, given to `mapWith`. */
export function decoderOf (own: SQL): { mapFromDriverValue (value: unknown): unknown } {
  return (own as unknown as { decoder: { mapFromDriverValue (value: unknown): unknown } }).decoder
}

/** Whether the values of an SQL expression are written into its text: `inlineParams()` was called. */
export function inlinesParams (own: SQL): boolean {
  return (own as unknown as { shouldInlineParams: boolean }).shouldInlineParams
}
