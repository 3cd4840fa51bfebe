/** Entity tags and preconditions of RFC 9110: https://www.rfc-editor.org/rfc/rfc9110#section-13 */
import { StaleRowError, ValidationError } from '../../src/errors/errors.js'
import type { FastifyRequest } from 'fastify'

/** `If-Match: *`, or a request without the header where it is optional: every version fits. */
export const anyVersion = 'any version'

/** The entity tag of a version: a strong one, because two replies with the same version have the same bytes. */
export function entityTag (version: unknown): string {
  return `"${String(version)}"`
}

const tag = '(?:W/)?"[\\x21\\x23-\\x7e\\x80-\\xff]*"'
const tagList = new RegExp(`^[ \\t,]*${tag}(?:[ \\t]*,[ \\t,]*${tag})*[ \\t,]*$`)
const longestHeader = 4096

/** The tags of a header. @throws {ValidationError} for another form */
function tagsOf (name: string, header: string): string[] {
  if (header.length > longestHeader || !tagList.test(header)) throw new ValidationError(`The header ${name} takes "*", or entity tags between quotes`)
  return header.match(new RegExp(tag, 'g')) as string[]
}

/**
 * The versions that `If-Match` allows: weak tags never match.
 *
 * @throws {ValidationError} with 428 (RFC 6585) if the header is required and missing, with 400 for another form
 */
export function versionsOf (request: FastifyRequest, { isRequired }: { isRequired: boolean }): ReadonlySet<string> | typeof anyVersion {
  const header = request.headers['if-match']
  if (header === undefined) {
    if (!isRequired) return anyVersion
    throw new ValidationError('The request needs If-Match with the ETag of the row that was read, or "*" for any version', { statusCode: 428 })
  }
  return header.trim() === '*' ? anyVersion : new Set(tagsOf('If-Match', header))
}

/** Whether `If-None-Match` says that the client has this tag already: weak tags match, too. @throws {ValidationError} for another form */
export function hasAlready (request: FastifyRequest, current: string): boolean {
  const header = request.headers['if-none-match']
  if (header === undefined) return false
  return header.trim() === '*' || tagsOf('If-None-Match', header).some((given) => given.replace(/^W\//, '') === current)
}

/** The error for a row that has another version. */
export function preconditionFailed (cause?: unknown): StaleRowError {
  return new StaleRowError(undefined, { statusCode: 412, cause })
}
