/** The command was called with wrong arguments: exit code 2. */
export class CommandUsageError extends Error {
  override readonly name = 'CommandUsageError'
}
