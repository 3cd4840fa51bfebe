import { StatementBudgetError } from '../../src/errors/errors.js'
import { checkSettings } from '../../src/errors/check-call.js'
import { SettingsError } from '../../src/errors/settings-error.js'
import { oneOf } from '../../src/runtime/option-checks.js'
import { attemptNumber, labelOf, spending } from './request-marks.js'
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { OptionChecks } from '../../src/runtime/option-checks.js'
import type { Statement } from '../../src/statement/statement.js'

/** How many statements a request may run. A number is `{ max }`. */
export type StatementBudgetOption = number | false | {
  /** How many statements one request may run: 1 or more. With `retries` each attempt counts anew. */
  readonly max: number
  /**
   * What happens beyond: one warning in the log at the end of the request, or a {@link StatementBudgetError} for the statement that would be one too many.
   * @defaultValue `'warn'`
   */
  readonly exceed?: 'warn' | 'throw' | undefined
}

/** A checked budget. */
export interface Budget {
  readonly max: number
  readonly exceed: 'warn' | 'throw'
}

const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isInteger(value) && value >= 1

const checks: OptionChecks<Exclude<StatementBudgetOption, number | false>> = {
  max: [isCount, 'must be a whole number from 1'],
  exceed: oneOf('warn', 'throw')
}

/** The budget of an option; undefined for none. @throws {SettingsError} for a budget that cannot be used */
export function budgetOf (option: StatementBudgetOption | undefined, path = 'statementBudget'): Budget | undefined {
  if (option === undefined || option === false) return undefined
  if (isCount(option)) return { max: Number(option), exceed: 'warn' }
  checkSettings({ path, kind: 'a whole number from 1, { max, exceed } or false' }, option, checks)
  const { max, exceed = 'warn' } = Object(option)
  if (max === undefined) throw new SettingsError(`${path}.max`, 'must be given: how many statements a request may run')
  return { max, exceed }
}

/** What the package itself runs for a session: BEGIN, and the check of constraints before a commit. */
const added = new Set(['begin', 'commit'])

/** A request that builds a new text for each statement must not fill the memory. */
const mostTexts = 100

/** Counts the statements of one request, in all databases. */
export class StatementBudget {
  readonly #request: FastifyRequest
  readonly #budget: Budget
  readonly #texts = new Map<string, number>()
  #count = 0
  #attempt = 1

  /** Counts from now on. */
  constructor (request: FastifyRequest, budget: Budget) {
    this.#request = request
    this.#budget = budget
    request[spending] = this.#spend
  }

  /** Counts a statement; returns the reason why it must not be sent, if any. */
  readonly #spend = ({ text, context }: Statement): Error | undefined => {
    if (added.has(context.operation)) return undefined
    const { [attemptNumber]: attempt = 1 } = this.#request
    if (attempt !== this.#attempt) this.#reset(attempt)
    this.#count++
    const times = this.#texts.get(text) ?? 0
    if (times > 0 || this.#texts.size < mostTexts) this.#texts.set(text, times + 1)
    if (this.#count <= this.#budget.max || this.#budget.exceed === 'warn') return undefined
    return new StatementBudgetError(undefined, { context: { ...context, ...this.#repeated } })
  }

  #reset (attempt: number): void {
    this.#attempt = attempt
    this.#count = 0
    this.#texts.clear()
  }

  /** Warns at the end of the request if it has run more. */
  tell (): void {
    const { max, exceed } = this.#budget
    if (this.#count <= max || exceed === 'throw') return
    this.#request.log.warn({ route: labelOf(this.#request), statements: this.#count, budget: max, ...this.#repeated }, 'a request ran more statements than its budget: is one run for each row of a list?')
  }

  /** The text that was run most often. */
  get #repeated (): { readonly statement: string, readonly times: number } | undefined {
    const [most] = [...this.#texts].sort(([, one], [, other]) => other - one)
    return most && { statement: most[0], times: most[1] }
  }
}

/** Counts the statements of requests that have a budget: all with a common one, and those of routes with one of their own. Other requests pay nothing. */
export function limitStatements (fastify: FastifyInstance, common: Budget | undefined): void {
  /** Those of routes, by the object that was given as `config.transaction`. */
  const ofRoutes = new WeakMap<object, Budget | undefined>()
  const budgets = new WeakMap<FastifyRequest, StatementBudget>()
  const begin = (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    const transaction = Object(request.routeOptions.config?.transaction)
    const budget = ofRoutes.has(transaction) ? ofRoutes.get(transaction) : common
    if (budget !== undefined) budgets.set(request, new StatementBudget(request, budget))
    done()
  }
  const tell = (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    budgets.get(request)?.tell()
    done()
  }
  if (common !== undefined) fastify.addHook('onRequest', begin).addHook('onResponse', tell)
  fastify.addHook('onRoute', (route) => {
    const transaction: { readonly statementBudget?: StatementBudgetOption | undefined } = Object(route.config?.transaction)
    const { statementBudget } = transaction
    if (statementBudget === undefined) return
    const own = budgetOf(statementBudget, `config.transaction.statementBudget of ${[route.method].flat().join(', ')} ${route.url}`)
    ofRoutes.set(transaction, own)
    if (own === undefined || common !== undefined) return
    // A HEAD route has the hooks of its GET route already.
    route.onRequest = [...[route.onRequest].flat().filter((hook) => hook !== undefined).filter((hook) => hook !== begin), begin]
    route.onResponse = [...[route.onResponse].flat().filter((hook) => hook !== undefined).filter((hook) => hook !== tell), tell]
  })
}
