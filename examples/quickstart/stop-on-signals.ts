import type { FastifyInstance } from 'fastify'

/** How a process ends. */
export interface StopOptions {
  /** After so long the process ends whatever happens, in milliseconds: more than `drainTimeoutSeconds`. */
  readonly limitMillis?: number
  /** Ends what the server stands on. */
  readonly last?: () => Promise<void> | undefined
}

/**
 * Ends the process in good order on SIGTERM and Ctrl-C: what is in flight finishes, the pool ends, and the exit code says
 * whether that worked: 0, or 1 when something had to be cut. A second signal changes nothing; the limit holds.
 */
export function stopOnSignals (server: FastifyInstance, { limitMillis = 15_000, last }: StopOptions = {}): void {
  let stopping: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    process.exitCode = 1
    // Fastify waits for a handler that never ends as long as that takes.
    setTimeout(() => process.exit(), limitMillis).unref()
    // Nor would a client go that keeps its connection: 72 seconds after its last reply.
    server.server.keepAliveTimeout = 1
    await server.close()
    // The same closing, which says whether all that was under way could finish.
    const isDrained = await server.db.close()
    await last?.()
    if (isDrained) process.exitCode = 0
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { stopping ??= stop() })
}
