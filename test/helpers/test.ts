/** The part of tap's `t` that registers a teardown. */
export interface Test {
  teardown (fn: () => Promise<unknown>): unknown
}
