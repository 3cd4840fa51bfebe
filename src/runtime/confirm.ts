import { createInterface } from 'node:readline/promises'

/** A terminal in which a user can be asked. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

/** Whether somebody can be asked: in a terminal, and not in a pipeline, which sets `CI`. */
export function canAsk ({ input, output }: Terminal, { CI }: Readonly<Record<string, string | undefined>>): boolean {
  return input.isTTY === true && output.isTTY === true && (CI === undefined || CI === '' || CI === 'false')
}

/** Asks a question, and tells whether the answer is `yes`. No answer is no: the input ends, or the signal aborts. */
export async function confirm ({ input, output }: Terminal, question: string, signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input, output, terminal: false, signal })
  const left = new Promise<string>((resolve) => { lines.once('close', () => resolve('')) })
  const answer = await Promise.race([lines.question(question), left])
  lines.close()
  return answer.trim() === 'yes'
}
