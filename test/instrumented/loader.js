/**
 * Instruments pg as a program does that is observed: @opentelemetry/instrumentation-pg, registered before pg is loaded, with all that it adds to statements.
 *
 *     NODE_OPTIONS="--import=<URL of this file>" node program.js
 *
 * Its spans are kept nowhere.
 */
import { register } from 'node:module'
import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url, { data: { include: ['pg', 'pg-pool'] } })
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
// A processor that does nothing: with none, the provider would make no spans that record.
const nothing = async () => {}
const tracerProvider = new BasicTracerProvider({ spanProcessors: [{ onStart () {}, onEnd () {}, forceFlush: nothing, shutdown: nothing }] })
trace.setGlobalTracerProvider(tracerProvider)
const instrumentation = new PgInstrumentation({ addSqlCommenterCommentToQueries: true, enableTraceContextPropagation: true, requireParentSpan: false })
instrumentation.setTracerProvider(tracerProvider)
