/**
 * A cursor as the client has it: base64url of a version, a digest, and PostgreSQL's own texts of the columns of the order.
 *
 * The digest ties it to its table, order and filter and to the texts themselves, so that a cursor of another list, or one
 * that was cut or changed on its way, is refused. It is no secret: who computes one gets the rows of the same list from
 * another place on, which are no others than the list has.
 */
import { hash } from 'node:crypto'
import { ValidationError } from '../../errors/errors.js'
import type { Position } from './keyset.js'

/** Raised when the same texts would mean something else. */
const version = 1

/** The longest cursor that is read, in characters: no order by a few columns comes near it. */
const longest = 16_384

/** 22 characters hold 132 bits. */
const digestLength = 22

/** What a cursor belongs to, and how many columns its position has. */
export interface CursorList {
  readonly identity: string
  readonly size: number
}

/** What tells the lists of a table apart: everything but the page. */
export function identityOf (table: string, key: string, values: readonly unknown[]): string {
  return JSON.stringify([table, key, values], (_, value: unknown) => typeof value === 'bigint' ? `${value}n` : value)
}

/**
 * Writes a cursor.
 *
 * @throws ValidationError for one that would be too long to be read again.
 */
export function writeCursor (position: Position, { identity }: CursorList): string {
  const cursor = Buffer.from(JSON.stringify([version, digest(identity, position), ...position])).toString('base64url')
  if (cursor.length > longest) throw new ValidationError('The columns in "orderBy" hold too long a text for a cursor: order by shorter ones')
  return cursor
}

/**
 * Reads a cursor.
 *
 * @throws ValidationError for anything but a cursor of this very list.
 */
export function readCursor (cursor: unknown, { identity, size }: CursorList): Position {
  if (typeof cursor !== 'string' || cursor.length > longest) throw invalidCursor()
  const [given, sum, ...position] = parse(cursor)
  const isWhole = position.length === size && position.every((text) => text === null || typeof text === 'string')
  if (given !== version || !isWhole || sum !== digest(identity, position as Position)) throw invalidCursor()
  return position as Position
}

/** What is said of a cursor that is none, or is of another list. */
export function invalidCursor (cause?: unknown): ValidationError {
  return new ValidationError('The cursor does not belong to this list, or is damaged: begin with the first page', { cause })
}

function parse (cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}

function digest (identity: string, position: Position): string {
  return hash('sha256', `${identity}${JSON.stringify(position)}`, 'base64url').slice(0, digestLength)
}
