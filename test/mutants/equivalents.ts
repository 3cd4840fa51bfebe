/** Mutants that change nothing which a program could see. */
export interface Equivalent {
  readonly file: string
  readonly titles: readonly string[]
  readonly reason: string
}

export const equivalents: readonly Equivalent[] = []
