/** The same URL with a password in it, to look for where it must not show: a server that trusts everybody is often named without one, and takes any. */
export function withPassword (connectionString: string): string {
  const url = new URL(connectionString)
  url.password ||= 's3cret-for-nobody'
  return url.href
}
