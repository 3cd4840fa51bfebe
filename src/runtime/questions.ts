import { createInterface } from 'node:readline/promises'

/** A terminal in which a user can be asked. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

/** Questions in a terminal, one after the other. */
export interface Questions {
  /** Asks, and resolves with the answer, without spaces around it; with undefined if the input ends, or the signal aborts. */
  ask (question: string): Promise<string | undefined>
  /** Leaves the terminal. */
  close (): void
}

/** Opens a terminal for questions. */
export function openQuestions ({ input, output }: Terminal, signal?: AbortSignal): Questions {
  const lines = createInterface({ input, output, terminal: false, ...signal !== undefined && { signal } })
  const ended = new Promise<undefined>((resolve) => { lines.once('close', () => resolve(undefined)) })
  return {
    ask: async (question) => (await Promise.race([ended, lines.question(question)]))?.trim(),
    close: () => lines.close()
  }
}
