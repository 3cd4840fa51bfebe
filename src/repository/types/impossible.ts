declare const reason: unique symbol

/** The type of an argument that no value can have. The compiler prints the reason where a call gives one. */
export interface Impossible<Reason extends string> {
  readonly [reason]: Reason
}
