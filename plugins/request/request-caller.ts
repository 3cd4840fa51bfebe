import { attemptNumber, labelOf, spending } from '../telemetry/request-marks.js'
import type { FastifyRequest } from 'fastify'
import type { CallSite } from '../../src/statement/call-site.js'
import type { Caller } from '../../src/statement/caller.js'
import type { Logger } from '../../src/runtime/logger.js'

/** A request as the caller of the pool. Its label is used only in the log. */
export class RequestCaller implements Caller {
  readonly logger: Logger
  callSite: CallSite | undefined = undefined
  within: Caller | undefined = undefined
  readonly request: FastifyRequest

  constructor (request: FastifyRequest) {
    this.logger = request.log
    this.request = request
  }

  get refuses (): Caller['refuses'] { return this.request[spending] }

  get attempt (): number { return this.request[attemptNumber] ?? 1 }

  get label (): string { return labelOf(this.request) }
}
