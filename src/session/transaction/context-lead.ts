import { createHash } from 'node:crypto'
import { ContextMissingError } from '../../errors/errors.js'
import { GenerationCache } from '../../runtime/generation-cache.js'
import { preparedLeading } from '../../statement/leading-statement.js'
import type { ContextSource, ResolvedContext } from '../../settings/transaction-context.js'
import type { TransactionSettings } from '../../settings/transaction-options.js'
import type { LeadingStatement } from '../../statement/leading-statement.js'
import type { Statement } from '../../statement/statement.js'

const bypassed = 'The database user bypasses row-level security, and this context has no role: nothing was sent. Give the context a role that is subject to the policies'

/** The endings of statement names, by search path: a statement that was parsed for one schema is not used for another. */
const endings = new GenerationCache<string>(1000)

/**
 * The context of one session, in front of its statements. It is asked for by the first statement, so a hook before it may decide who
 * the user is. From then on it stays the same.
 */
export class ContextLead {
  readonly #source: ContextSource | undefined
  readonly #isRequired: boolean
  readonly #needsRole: boolean
  #isDecided = false
  #ending: string | undefined
  /** What leads a transaction, and a statement that is a transaction by itself. */
  statement: LeadingStatement | undefined

  constructor ({ context, contextRequired }: ContextOptions, bypassesPolicies: boolean) {
    this.#source = context
    this.#isRequired = contextRequired
    this.#needsRole = contextRequired && bypassesPolicies
  }

  /** Makes the context ready for a statement; returns the reason why the statement must not be sent, if any. */
  prepare (): Error | undefined {
    if (this.#isDecided) return undefined
    try {
      const context = this.#source?.()
      if (context === undefined && this.#isRequired) return new ContextMissingError()
      if (context?.hasRole !== true && this.#needsRole) return new ContextMissingError(bypassed)
      if (context !== undefined) this.#set(context)
      this.#isDecided = true
      return undefined
    } catch (error) {
      return error as Error
    }
  }

  #set ({ pairs, searchPath }: ResolvedContext): void {
    const count = pairs.length / 2
    const { text, name } = leads[count] ??= leadFor(count)
    this.statement = { text, name, values: pairs }
    this.#ending = searchPath === undefined ? undefined : endingOf(searchPath)
  }

  /** The statement under a name that holds for the context's search path. */
  named (statement: Statement): Statement {
    if (this.#ending === undefined || statement.name === undefined) return statement
    return { ...statement, name: statement.name + this.#ending }
  }
}

/** The statements that set so many settings, by their number. */
const leads: LeadingStatement[] = []

function leadFor (count: number): LeadingStatement {
  const calls = Array.from({ length: count }, (_, index) => `pg_catalog.set_config($${index * 2 + 1}, $${index * 2 + 2}, true)`)
  return preparedLeading('context', `select ${calls.join(', ')}`)
}

/** The settings of a session that are about its context. */
export type ContextOptions = Pick<TransactionSettings, 'context' | 'contextRequired'>

/** The lead of a session; undefined if it needs none. */
export function leadOf (options: ContextOptions, bypassesPolicies: boolean): ContextLead | undefined {
  return options.context === undefined && !options.contextRequired ? undefined : new ContextLead(options, bypassesPolicies)
}

function endingOf (searchPath: string): string {
  let ending = endings.get(searchPath)
  if (ending === undefined) endings.set(searchPath, ending = `_${createHash('sha256').update(searchPath).digest('hex').slice(0, 8)}`)
  return ending
}
