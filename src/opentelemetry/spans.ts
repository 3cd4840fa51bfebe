import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { StatementBeginnings } from './statement-beginnings.js'
import { statementEnd, transactionEnd, transactionStart, waitAttributes } from './span-attributes.js'
import { acquireChannel, statementChannel, transactionChannel } from '../channels/channels.js'
import { subscribe } from '../channels/subscribe.js'
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api'
import type { AcquireMessage, Ending, StatementMessage, TransactionMessage } from '../channels/messages.js'

/** A shorter wait has no span. */
const shownWaitMillis = 1

/** A statement that runs, and the server that was known at its beginning. */
interface OpenStatement {
  readonly span: Span
  readonly begunAt: string | undefined
}

/** A transaction that is open, and the span that was active when it began. */
interface OpenTransaction {
  readonly span: Span
  readonly around: Span | undefined
}

/** Makes a span of each statement, each transaction and each longer wait, from its beginning to its end. */
export class Spans {
  readonly #tracer: Tracer
  readonly #beginnings = new StatementBeginnings()
  readonly #statements = new Map<StatementMessage, OpenStatement>()
  readonly #transactions = new Map<TransactionMessage, OpenTransaction>()
  readonly #waits = new Map<AcquireMessage, Context>()
  readonly #subscriptions: ReadonlyArray<() => void>

  /** Begins to make spans. */
  constructor (tracer: Tracer) {
    this.#tracer = tracer
    this.#subscriptions = [
      subscribe(transactionChannel.start, this.#transactionStarted),
      subscribe(transactionChannel.asyncEnd, this.#transactionEnded),
      subscribe(statementChannel.start, this.#statementStarted),
      subscribe(statementChannel.asyncEnd, this.#statementEnded),
      subscribe(acquireChannel.start, this.#waitStarted),
      subscribe(acquireChannel.asyncEnd, this.#waitEnded)
    ]
  }

  /** Makes no more spans, and ends those of what still runs. */
  end (): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe()
    for (const { span } of this.#statements.values()) span.end()
    for (const { span } of this.#transactions.values()) span.end()
  }

  readonly #statementStarted = (message: StatementMessage): void => {
    const { name, attributes } = this.#beginnings.of(message)
    const span = this.#tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, this.#contextOf(message))
    this.#statements.set(message, { span, begunAt: message.serverAddress })
  }

  readonly #statementEnded = (message: StatementMessage): void => {
    const open = this.#statements.get(message)
    if (open === undefined) return // it began before the spans did
    this.#statements.delete(message)
    end(open.span, message, statementEnd(message, open.begunAt !== message.serverAddress))
  }

  readonly #transactionStarted = (message: TransactionMessage): void => {
    const around = trace.getActiveSpan()
    this.#transactions.set(message, { span: this.#tracer.startSpan('transaction', { attributes: transactionStart(message) }), around })
  }

  readonly #transactionEnded = (message: TransactionMessage): void => {
    const open = this.#transactions.get(message)
    if (open === undefined) return
    this.#transactions.delete(message)
    end(open.span, message, transactionEnd(message))
  }

  readonly #waitStarted = (message: AcquireMessage): void => { this.#waits.set(message, context.active()) }

  readonly #waitEnded = (message: AcquireMessage): void => {
    const parent = this.#waits.get(message)
    this.#waits.delete(message)
    const waitMillis = Number(message.waitMillis)
    if (parent === undefined || waitMillis <= shownWaitMillis) return
    const span = this.#tracer.startSpan('wait for a connection', { startTime: Date.now() - waitMillis, attributes: waitAttributes(message) }, parent)
    end(span, message, {})
  }

  /** A span that the program has begun within the transaction is the nearer parent. */
  #contextOf ({ transaction }: StatementMessage): Context {
    const active = context.active()
    const open = transaction && this.#transactions.get(transaction)
    return open !== undefined && trace.getSpan(active) === open.around ? trace.setSpan(active, open.span) : active
  }
}

/** The text of an error is not told: one of the program may hold values. */
function end (span: Span, { error }: Ending, attributes: Attributes): void {
  if (span.isRecording()) {
    span.setAttributes(attributes)
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end()
}
