import { MigrationError } from '../../../errors/errors.js'
import { openQuestions, type Terminal } from '../../../runtime/questions.js'
import type { Decide } from './decide-renames.js'

/**
 * Asks the user to choose a number for each new object. Without an answer, because the input ends or the signal aborts, it throws a {@link MigrationError}.
 */
export function askRenames (terminal: Terminal, signal: AbortSignal | undefined): Decide {
  return async ({ kind, added, gone }) => {
    const choices = ['new', ...gone.map((name) => `${name}, renamed: keeps what is in it`)]
    const text = [`The ${kind} ${added} is`, ...choices.map((choice, index) => `  ${index + 1}  ${choice}`), ''].join('\n')
    const questions = openQuestions(terminal, signal)
    const answer = async (question: string): Promise<string | undefined> => {
      const given = await questions.ask(`${question}> `)
      if (given === undefined) throw new MigrationError('The question was not answered, so nothing was written', 'DB_MIGRATION_AMBIGUOUS')
      const number = Number(given)
      return choices[number - 1] === undefined ? await answer(`One of 1 to ${choices.length}: `) : gone[number - 2]
    }
    return await answer(text).finally(() => questions.close())
  }
}
