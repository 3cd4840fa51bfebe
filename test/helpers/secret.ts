/**
 * The same URL with a password, so that tests can check where it must not appear. The URL of a server with `trust` often has none, and such a server
 * accepts any.
 */
export function withPassword (connectionString: string): string {
  const url = new URL(connectionString)
  url.password ||= 's3cret-for-nobody'
  return url.href
}
