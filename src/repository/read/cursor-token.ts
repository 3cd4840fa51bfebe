/**
 * A cursor as the client receives it: base64url of a version, a digest, and PostgreSQL's own texts of the columns of the order.
 *
 * The digest ties it to its table, order and filter and to the texts themselves, so that a cursor of another list, or one that
 * was cut or changed on its way, is refused. The digest is not a secret: a client that computes one can start the same list at
 * another place, but gets only rows of that list.
 */
import { hash } from 'node:crypto'
import { ValidationError } from '../../errors/errors.js'
import type { Position } from './keyset.js'

/** Increased when the meaning of the same texts changes. */
const version = 1

/** The longest cursor that is read, in characters: an order by a few columns stays far below it. */
const longest = 16_384

/** 22 characters hold 132 bits. */
const digestLength = 22

/** The list of a cursor, and the number of columns in its position. */
export interface CursorList {
  readonly identity: string
  readonly size: number
}

/** The identity of a list among the lists of its table: everything but the page. */
export function identityOf (table: string, key: string, values: readonly unknown[]): string {
  return JSON.stringify([table, key, values], (_, value: unknown) => typeof value === 'bigint' ? `${value}n` : value)
}

/**
 * Writes a cursor.
 *
 * @throws ValidationError for a cursor that would be too long to read.
 */
export function writeCursor (position: Position, { identity }: CursorList): string {
  const cursor = Buffer.from(JSON.stringify([version, digest(identity, position), ...position])).toString('base64url')
  if (cursor.length > longest) throw new ValidationError('The columns in "orderBy" hold too long a text for a cursor: order by shorter ones')
  return cursor
}

/**
 * Reads a cursor.
 *
 * @throws ValidationError for anything but a cursor of this list.
 */
export function readCursor (cursor: unknown, { identity, size }: CursorList): Position {
  if (typeof cursor !== 'string' || cursor.length > longest) throw invalidCursor()
  const [given, sum, ...position] = parse(cursor)
  const isWhole = position.length === size && position.every((text) => text === null || typeof text === 'string')
  if (given !== version || !isWhole || sum !== digest(identity, position as Position)) throw invalidCursor()
  return position as Position
}

/** The error for an invalid cursor, or for a cursor of another list. */
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
