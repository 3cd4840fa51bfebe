import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * An AsyncLocalStorage that is on only while somebody needs it: on Node 20 it slows every promise of the process once it is entered.
 */
export class AsyncContext<Value> {
  readonly #storage = new AsyncLocalStorage<Value>()
  #users = 0

  /** What the caller runs in, however deep its calls go. */
  get current (): Value | undefined {
    return this.#users === 0 ? undefined : this.#storage.getStore()
  }

  /** Says that somebody needs it, who calls what is returned when that is over, once. */
  enter (): () => void {
    this.#users++
    return () => { if (--this.#users === 0) this.#storage.disable() }
  }

  /** Runs a function so that {@link AsyncContext.current} means the given value in it, where anybody needs that. */
  async run<Result> (value: Value, fn: () => Result | Promise<Result>): Promise<Result> {
    return await (this.#users === 0 ? fn() : this.#storage.run(value, fn))
  }
}
