// npm run bench: see README.md, or --help.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

if (existsSync(join(import.meta.dirname, 'node_modules', 'kysely'))) {
  const { run } = await import('./runner/run.js')
  process.exitCode = await run(process.argv.slice(2))
} else {
  console.error('The benchmark has packages of its own, about 500 MB of them. Install them with: npm ci --prefix benchmark')
  process.exitCode = 1
}
