import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * An AsyncLocalStorage that can be turned off: on Node 20 it slows every promise of the process once it is entered.
 */
export class AsyncContext<Value> {
  readonly #storage = new AsyncLocalStorage<Value>()
  #users = 0

  /** The value that the caller runs with, however deep its calls go. */
  get current (): Value | undefined {
    return this.#users === 0 ? undefined : this.#storage.getStore()
  }

  /** Turns tracking on. Call the returned function once to turn it off. */
  enter (): () => void {
    this.#users++
    return () => { if (--this.#users === 0) this.#storage.disable() }
  }

  /** Runs a function with a value of {@link AsyncContext.current}, if tracking is on. */
  async run<Result> (value: Value, fn: () => Result | Promise<Result>): Promise<Result> {
    return await (this.#users === 0 ? fn() : this.#storage.run(value, fn))
  }
}
