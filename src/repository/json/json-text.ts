/**
 * JSON that is written already. A handler of Fastify returns it, and it is sent as `application/json`. Elsewhere, `String(json)` is the
 * body of a reply.
 */
export class JsonText {
  /** The JSON. */
  readonly text: string

  constructor (text: string) {
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
