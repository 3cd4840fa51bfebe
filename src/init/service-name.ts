/** npm's rule for the name of a package, with or without a scope. */
const valid = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/

/** Returns what is wrong with the name of a package; undefined if npm accepts it. */
export function nameProblem (name: string): string | undefined {
  if (name.length > 214) return 'The name of a package has at most 214 characters'
  return valid.test(name) ? undefined : 'The name of a package has small letters, digits, dots, dashes and underscores only, and begins with a letter or a digit'
}

/** Makes the name of a package from the name of a folder. */
export function nameFor (folder: string): string {
  const name = folder.toLowerCase().replace(/[^a-z0-9._~-]+/g, '-').replace(/^[._-]+|-+$/g, '').slice(0, 214)
  return name === '' ? 'my-service' : name
}
