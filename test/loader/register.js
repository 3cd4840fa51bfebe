/** Lets Node run TypeScript, for the test runner: node --import ./test/loader/register.js file.ts */
import { register } from 'node:module'

// The files of test/drizzle-1/, by themselves or together, run with the other version of Drizzle.
if (/[\\/]test[\\/](together[\\/])?drizzle-1[\\/.]/.test(process.argv[1] ?? '')) process.env['DRIZZLE'] ||= '1'

register('./hooks.js', import.meta.url)
await import('./drizzle.js')
