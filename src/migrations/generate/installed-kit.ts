import { isDrizzle1 } from '../../drizzle/version.js'
import { kit031 } from './kit/kit-031/kit-031.js'
import { kit1 } from './kit/kit-1/kit-1.js'
import type { Kit } from './kit/kit.js'

/** drizzle-kit in the version that belongs to the installed Drizzle. */
export function installedKit (): Kit {
  return isDrizzle1 ? kit1 : kit031
}
