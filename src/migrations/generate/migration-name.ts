import { MigrationError } from '../../errors/errors.js'

/** A message as part of a file name: `Add a nickname` becomes `add_a_nickname`. */
export function slug (message: string): string {
  const words = message.normalize('NFKD').toLowerCase().replace(/\p{M}/gu, '').replace(/[^\p{L}\p{N}]+/gu, '_').slice(0, 60).replace(/^_|_$/g, '')
  if (words === '') throw new MigrationError('A migration needs a message with letters or digits, after which its files are named', 'DB_MIGRATION_FAILED')
  return words
}
