import { UsageError } from '../errors/errors.js'

/** PostgreSQL cuts longer identifiers, so that LISTEN and pg_notify() would mean two channels. */
const longestBytes = 63

/** @throws {UsageError} for a value that cannot be the name of a channel */
export function checkChannel (channel: unknown): void {
  if (typeof channel === 'string' && channel !== '' && !channel.includes('\0') && Buffer.byteLength(channel) <= longestBytes) return
  throw new UsageError(`The channel of listen() must be a text of 1 to ${longestBytes} bytes, as PostgreSQL allows for names`)
}
