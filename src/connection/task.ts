import { ValidationError } from '../errors/errors.js'
import { notSent } from './outcome.js'
import type { Exchange } from './exchange.js'
import type { Outcome } from './outcome.js'
import type { Statement } from '../statement/statement.js'

/** A statement, and who wants to know what became of it. */
export interface Task {
  readonly statement: Statement
  readonly done: (outcome: Outcome) => void
}

/** A message counts its values in 16 bits. */
const mostValues = 65_535

/** Adds a statement to what is sent, unless a value of it cannot be sent. */
export function add ({ statement, done }: Task, exchange: Exchange): boolean {
  const { values, context } = statement
  if (values.length > mostValues) {
    done(notSent(new ValidationError('A statement takes 65,535 values at most: pass a long list as one array, `= any($1)`, or write its rows by several statements', { context })))
    return false
  }
  try {
    exchange.add(statement)
    return true
  } catch (error) {
    done(notSent(new ValidationError('A value cannot be written as text', { cause: error, context })))
    return false
  }
}
