import type { SQL } from 'drizzle-orm'

// What Drizzle keeps to itself of its SQL.

/** What reads the values of an SQL expression: what `mapWith` was given, if it was. */
export function decoderOf (own: SQL): { mapFromDriverValue (value: unknown): unknown } {
  return (own as unknown as { decoder: { mapFromDriverValue (value: unknown): unknown } }).decoder
}

/** Whether the values of an SQL expression are written into its text: `inlineParams()` was called. */
export function inlinesParams (own: SQL): boolean {
  return (own as unknown as { shouldInlineParams: boolean }).shouldInlineParams
}
