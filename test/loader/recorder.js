/** Hooks that tell a port the address of each ES module that is imported, for test/helpers/loading.ts. */
let port

export function initialize (data) {
  port = data.port
}

export async function resolve (specifier, context, next) {
  const found = await next(specifier, context)
  port.postMessage(found.url)
  return found
}
