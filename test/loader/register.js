/** Lets Node run TypeScript, for the test runner: node --import ./test/loader/register.js file.ts */
import { register } from 'node:module'

// The files of test/drizzle-1/ run the tests of other folders once more, with the other version of Drizzle.
if (/[\\/]test[\\/]drizzle-1[\\/]/.test(process.argv[1] ?? '')) process.env['DRIZZLE'] ||= '1'

register('./hooks.js', import.meta.url)
await import('./drizzle.js')
