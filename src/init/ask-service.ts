import { openQuestions, type Terminal } from '../runtime/questions.js'
import { parseConnectionString } from '../settings/url/connection-string.js'
import { nameProblem } from './service-name.js'

/** What is asked. */
export interface Wanted {
  /** The name that an empty answer gives; without it, the name is not asked for. */
  readonly name: string | undefined
  /** Whether the database is asked for. */
  readonly database: boolean
}

/** What was answered. */
export interface Answers {
  readonly name?: string
  readonly url?: string
}

/**
 * Asks for the name of a service and for its database, each question until its answer can be used.
 *
 * @throws Error if the input ends before the last answer, or the signal aborts
 */
export async function askService ({ name, database }: Wanted, terminal: Terminal, signal: AbortSignal): Promise<Answers> {
  const questions = openQuestions(terminal, signal)
  const answer = async (question: string, problemOf: (text: string) => string | undefined): Promise<string> => {
    const text = await questions.ask(question)
    if (text === undefined) throw new Error('The question was not answered, so nothing was written')
    const problem = problemOf(text)
    if (problem === undefined) return text
    terminal.output.write(`${problem}\n`)
    return await answer(question, problemOf)
  }
  try {
    const given = name === undefined ? '' : await answer(`Name of the service [${name}]: `, (text) => text === '' ? undefined : nameProblem(text))
    const named = name === undefined ? {} : { name: given === '' ? name : given }
    if (!database) return named
    const choice = await answer('PostgreSQL\n  1  one that comes from npm, and keeps its rows in .data\n  2  a server of yours\n[1]: ', (text) => /^[12]?$/.test(text) ? undefined : 'Answer 1 or 2')
    return choice === '2' ? { ...named, url: await answer('Its URL, postgresql://user:password@host:5432/database: ', urlProblem) } : named
  } finally {
    questions.close()
  }
}

/** Returns what is wrong with the URL of a database; undefined if it can be used. */
export function urlProblem (url: string): string | undefined {
  try {
    parseConnectionString(url, 'The URL')
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
