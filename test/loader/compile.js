/**
 * Compiles every TypeScript file for the test runner, in one process: node test/loader/compile.js. Without it, the first processes of a
 * run compile the same files at the same time.
 */
import { readdirSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { load } from './hooks.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
for (const folder of ['src', 'plugins', 'examples', 'test']) {
  for (const name of readdirSync(join(root, folder), { recursive: true })) {
    if (name.endsWith('.ts')) load(pathToFileURL(join(root, folder, name)).href)
  }
}
