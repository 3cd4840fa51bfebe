import * as drizzle from 'drizzle-orm'
import { npmVersion } from 'drizzle-orm/version'

/** Whether the installed Drizzle is 1.0 rather than 0.45: it defines relations, and converts values, in another way. */
export const isDrizzle1 = 'defineRelations' in drizzle

/** 0.45 from 0.45.2 on, and 1.x: its betas and first release candidates differ in what this package builds on. */
const supported = /^0\.45\.(?:[2-9]|\d\d)|^1\.0\.0-rc\.(?:[5-9]|\d\d)|^1\.\d+\.\d+$/

/** Why a version of drizzle-orm is refused; undefined if it is not. npm refuses the same versions, but may be forced. */
export function versionRefusal (version: string = npmVersion): string | undefined {
  if (supported.test(version)) return undefined
  return `must be 0.45.2 or a newer 0.45, or 1.0.0-rc.5 or a newer 1.x, but ${version} is installed: npm install drizzle-orm@${version.startsWith('0.') ? '^0.45.2' : '^1.0.0-rc.5'}`
}
