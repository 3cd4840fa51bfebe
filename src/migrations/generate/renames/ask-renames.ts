import { createInterface } from 'node:readline/promises'
import { MigrationError } from '../../../errors/errors.js'
import { ignore } from '../../../runtime/promises.js'
import type { Terminal } from '../../../runtime/confirm.js'
import type { Decide } from './decide-renames.js'

/** Asks the user to choose a number for each new object. */
export function askRenames ({ input, output }: Terminal): Decide {
  return async ({ kind, added, gone }) => {
    const choices = ['new', ...gone.map((name) => `${name}, renamed: keeps what is in it`)]
    const text = [`The ${kind} ${added} is`, ...choices.map((choice, index) => `  ${index + 1}  ${choice}`), ''].join('\n')
    const lines = createInterface({ input, output, terminal: false })
    const left = new Promise<never>((_resolve, reject) => {
      lines.once('close', () => reject(new MigrationError('The question was not answered, so nothing was written', 'DB_MIGRATION_AMBIGUOUS')))
    })
    left.catch(ignore)
    const answer = async (question: string): Promise<string | undefined> => {
      const number = Number(await Promise.race([lines.question(`${question}> `), left]))
      return choices[number - 1] === undefined ? await answer(`One of 1 to ${choices.length}: `) : gone[number - 2]
    }
    return await answer(text).finally(() => lines.close())
  }
}
