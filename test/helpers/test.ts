/** What a test gives us to register its end with: tap's `t`. */
export interface Test {
  teardown (fn: () => Promise<unknown>): unknown
}
