import { openQuestions, type Terminal } from './questions.js'

/** Whether somebody can be asked: in a terminal, and not in a pipeline, which sets `CI`. */
export function canAsk ({ input, output }: Terminal, { CI }: Readonly<Record<string, string | undefined>>): boolean {
  return input.isTTY === true && output.isTTY === true && (CI === undefined || CI === '' || CI === 'false')
}

/** Asks a question, and tells whether the answer is `yes`. No answer is no: the input ends, or the signal aborts. */
export async function confirm (terminal: Terminal, question: string, signal: AbortSignal): Promise<boolean> {
  const questions = openQuestions(terminal, signal)
  const answer = await questions.ask(question)
  questions.close()
  return answer === 'yes'
}
