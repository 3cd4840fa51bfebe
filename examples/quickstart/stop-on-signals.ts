import type { FastifyInstance } from 'fastify'

/** How a process stops. */
export interface StopOptions {
  /** The process ends after this time in any case, in milliseconds: more than `drainTimeoutSeconds`. */
  readonly limitMillis?: number
  /** Stops the services that the server uses. */
  readonly last?: () => Promise<void> | undefined
}

/**
 * Ends the process in good order on SIGTERM and Ctrl-C: requests in flight finish, and the pool ends. The exit code is 0, or 1
 * if something had to be cut. A second signal changes nothing; the limit holds.
 */
export function stopOnSignals (server: FastifyInstance, { limitMillis = 15_000, last }: StopOptions = {}): void {
  let stopping: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    process.exitCode = 1
    // Fastify waits without limit for a handler that never ends.
    setTimeout(() => process.exit(), limitMillis).unref()
    // A client that keeps its connection would stay for 72 seconds after its last reply.
    server.server.keepAliveTimeout = 1
    await server.close()
    // The same closing. It returns whether all work under way could finish.
    const isDrained = await server.db.close()
    await last?.()
    if (isDrained) process.exitCode = 0
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { stopping ??= stop() })
}
