import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import type { Result } from './calm.js'

/** Tests that need what a pooler in transaction mode does not give, and why. */
export const needsSession: ReadonlyMap<string, string> = new Map([
  ['migrations', 'they have a connection of their own'],
  ['standby', 'it has servers of its own'],
  ['network', 'its proxy is between the pool and PostgreSQL'],
  ['config', 'it is about URLs and startup parameters'],
  ['start', 'it is about servers that are not there']
])

/** Runs the tests of test/faults with `TEST_POOLER=pgbouncer`: the helpers then open databases through a PgBouncer. */
export async function testsThroughPooler (): Promise<Result[]> {
  const files = readdirSync('test/faults').filter((name) => name.endsWith('.test.ts') && ![...needsSession.keys()].some((word) => name.startsWith(word)))
  const results: Result[] = []
  for (const file of files) {
    const child = spawn('npx', ['tap', `test/faults/${file}`, '--disable-coverage', '--reporter=tap'], { env: { ...process.env, TEST_POOLER: 'pgbouncer' }, stdio: ['ignore', 'pipe', 'ignore'] })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => { text += piece })
    await new Promise((resolve) => child.on('close', resolve))
    const failed = [...text.matchAll(/^ {4}not ok \d+ - (.*?)(?: #|$)/gm)].map(([, title]) => String(title))
    results.push({ what: `test/faults/${file}`, seen: failed.length === 0 ? 'passed' : failed.join('; '), isKept: failed.length === 0 })
  }
  return results
}
