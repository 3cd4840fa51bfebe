/** Keeps properties out of loggers, `util.inspect`, `JSON.stringify` and spreads; reading them by name still works. */
export function hide<Target extends object> (target: Target, ...names: Array<keyof Target>): Target {
  for (const name of names) Object.defineProperty(target, name, { enumerable: false })
  return target
}
