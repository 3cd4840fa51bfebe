/** Time limits for the answers of a client: a silent network delivers no error, so nothing else would end the wait. */
import { destroySocket } from './client.js'
import type { Client, ClientBase } from 'pg'

/** How long a connection may take to end before it is destroyed, in milliseconds. */
const farewellMillis = 500

/** How long an answer may take. */
export interface AnswerLimit {
  readonly timeoutMillis: number
  /** Called when the time is over, before the connection is destroyed. */
  readonly late?: (() => void) | undefined
}

/**
 * Resolves with the answer to a question over a client. Without an answer in time the connection is destroyed, so that the question
 * rejects. The connection decides whether the process is kept alive meanwhile; the time limit does not.
 */
export async function answerInTime<Answer> (client: ClientBase, ask: () => Promise<Answer>, { timeoutMillis, late }: AnswerLimit): Promise<Answer> {
  const timer = setTimeout(() => {
    late?.()
    destroySocket(client)
  }, timeoutMillis).unref()
  try {
    return await ask()
  } finally {
    clearTimeout(timer)
  }
}

/** Ends a connection; destroys it if it does not end in time, or was not open yet. */
export async function endInTime (client: Client): Promise<void> {
  await answerInTime(client, () => client.end(), { timeoutMillis: farewellMillis })
}
