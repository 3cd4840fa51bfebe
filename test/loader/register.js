/** Lets Node run TypeScript, for the test runner: node --import ./test/loader/register.js file.ts */
import { register } from 'node:module'

register('./hooks.js', import.meta.url)
