import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { StatementBeginnings } from './statement-beginnings.js'
import { statementEnd, transactionEnd, transactionStart, waitAttributes } from './span-attributes.js'
import { acquireChannel, statementChannel, transactionChannel } from '../channels/channels.js'
import { subscribe } from '../channels/subscribe.js'
import { List } from '../runtime/linked-list.js'
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api'
import type { Entry } from '../runtime/linked-list.js'
import type { AcquireMessage, Ending, StatementMessage, TransactionMessage } from '../channels/messages.js'

/** A shorter wait has no span. */
const shownWaitMillis = 1

/** What is kept of a message until its end. It lies in the message itself: a map of what runs would be rebuilt all the time. */
interface Open {
  readonly span: Span
  /** Its entry in the list of what runs. */
  readonly entry: Entry<Span>
  /** For a transaction: the span that was active when it began. */
  readonly around: Span | undefined
  /** The server that was known at its beginning. */
  readonly begunAt: string | undefined
}

/** A message, and what is kept of it. */
interface Kept<Value> { [key: symbol]: Value | undefined }

/** Makes a span of each statement, each transaction and each longer wait, from its beginning to its end. */
export class Spans {
  readonly #tracer: Tracer
  readonly #beginnings = new StatementBeginnings()
  readonly #running = new List<Span>()
  /** Another tracer may get spans of the same messages. */
  readonly #key = Symbol('data-access.span')
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
    for (const span of this.#running.all()) span.end()
  }

  readonly #statementStarted = (message: StatementMessage): void => {
    const { name, attributes } = this.#beginnings.of(message)
    const span = this.#tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, this.#contextOf(message))
    this.#keep(message, span)
  }

  readonly #statementEnded = (message: StatementMessage): void => {
    const open = this.#take(message)
    if (open !== undefined) end(open.span, message, statementEnd(message, open.begunAt !== message.serverAddress))
  }

  readonly #transactionStarted = (message: TransactionMessage): void => {
    const around = trace.getActiveSpan()
    this.#keep(message, this.#tracer.startSpan('transaction', { attributes: transactionStart(message) }), around)
  }

  readonly #transactionEnded = (message: TransactionMessage): void => {
    const open = this.#take(message)
    if (open !== undefined) end(open.span, message, transactionEnd(message))
  }

  readonly #waitStarted = (message: AcquireMessage): void => { (message as unknown as Kept<Context>)[this.#key] = context.active() }

  readonly #waitEnded = (message: AcquireMessage): void => {
    const waitMillis = Number(message.waitMillis)
    if (waitMillis <= shownWaitMillis) return
    const { [this.#key]: parent } = message as unknown as Kept<Context>
    if (parent === undefined) return // it began before the spans did
    const span = this.#tracer.startSpan('wait for a connection', { startTime: Date.now() - waitMillis, attributes: waitAttributes(message) }, parent)
    end(span, message, {})
  }

  #keep (message: StatementMessage | TransactionMessage, span: Span, around?: Span): void {
    (message as unknown as Kept<Open>)[this.#key] = { span, entry: this.#running.add(span), around, begunAt: message.serverAddress }
  }

  /** What was kept of a message, at its end; undefined if it began before the spans did. */
  #take (message: StatementMessage | TransactionMessage): Open | undefined {
    const open = (message as unknown as Kept<Open>)[this.#key]
    if (open !== undefined) this.#running.delete(open.entry)
    return open
  }

  /** A span that the program has begun within the transaction is the nearer parent. */
  #contextOf ({ transaction }: StatementMessage): Context {
    const active = context.active()
    const open = transaction && (transaction as unknown as Kept<Open>)[this.#key]
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
