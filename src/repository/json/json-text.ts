import { UsageError } from '../../errors/errors.js'

/**
 * JSON that is written already. A handler of Fastify returns it, and it is sent as `application/json`. Elsewhere, `String(json)` is the
 * body of a reply.
 */
export class JsonText {
  /** The JSON. */
  readonly text: string

  /** @throws UsageError for anything but a text */
  constructor (text: string) {
    const given: unknown = text
    if (typeof given !== 'string') throw new UsageError('JsonText takes JSON that is written already, as a text')
    this.text = text
  }

  toString (): string {
    return this.text
  }

  /** The value, for a program that writes it as a part of other JSON: it is parsed for that. */
  toJSON (): unknown {
    return JSON.parse(this.text)
  }
}
