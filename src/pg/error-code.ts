/** The SQLSTATE of an error, or Node's code of a socket error. */
export function codeOf (error: unknown): string | undefined {
  const code: unknown = Object(error).code
  return typeof code === 'string' ? code : undefined
}
