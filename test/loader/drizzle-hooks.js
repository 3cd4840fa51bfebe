/** Resolves imports of Drizzle, for drizzle.js. */
import { redirect } from './redirect.js'

let drizzle

export function initialize (data) {
  drizzle = data
}

export function resolve (specifier, context, next) {
  const { specifier: moved, parentURL = context.parentURL } = redirect(specifier, drizzle)
  return next(moved, { ...context, parentURL })
}
