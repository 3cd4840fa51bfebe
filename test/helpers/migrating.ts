import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { nodeOptions, type Ended } from './child.js'
import type { ChildProcess } from 'node:child_process'
import type { Test } from './test.js'

// Uses the loader of the tests: coverage with other line numbers would spoil theirs.
const loader = new URL('../loader/register.js', import.meta.url)
const program = new URL('../load/processes/migrate.ts', import.meta.url)

/**
 * Runs the migrations of a folder in a process of its own, with `schemas` in each of these. It reports each step on stderr:
 * `0001_posts 2` is the second statement of a file.
 */
export function startMigrating (t: Test, connectionString: string, { folder, schemas }: { folder: string, schemas?: string }): {
  child: ChildProcess, ended: Promise<Ended>, reaches (place: string): Promise<void>
} {
  const child = spawn(process.execPath, ['--import', loader.href, fileURLToPath(program), folder, ...schemas === undefined ? [] : [schemas]], {
    env: { ...process.env, NODE_OPTIONS: nodeOptions, DATABASE_URL: connectionString }, stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(async () => { child.kill('SIGKILL') })
  const read = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => { read.stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { read.stderr += text })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...read }))
  const reaches = async (place: string): Promise<void> => {
    while (!read.stderr.includes(`${place}\n`)) await once(child.stderr, 'data')
  }
  return { child, ended, reaches }
}
