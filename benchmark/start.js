import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Runs a program of the benchmark after checking that its packages are installed. */
export async function start (program) {
  if (!existsSync(join(import.meta.dirname, 'node_modules', 'kysely'))) {
    console.error('The benchmark has packages of its own, about 500 MB of them. Install them with: npm ci --prefix benchmark')
    process.exitCode = 1
    return
  }
  const { run } = await import(program)
  try {
    process.exitCode = await run(process.argv.slice(2))
  } catch (error) {
    if (error.name !== 'UsageError') throw error
    console.error(error.message)
    process.exitCode = 2
  }
}
