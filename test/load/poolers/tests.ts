import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import type { Result } from './calm.js'

/** Files of test/faults that cannot run through a pooler in transaction mode, by how their names begin, and why. */
export const needsSession: ReadonlyMap<string, string> = new Map([
  ['migrations', 'they have a connection of their own'],
  ['standby', 'it has servers of its own'],
  ['network', 'its proxy is between the pool and PostgreSQL'],
  ['config', 'it is about URLs and startup parameters'],
  ['start.', 'it is about servers that are not there']
])

/** Single tests that a pooler in transaction mode cannot pass, by a part of their titles, and why. */
export const testsThatNeedSession: ReadonlyMap<string, string> = new Map([
  ['a client kept for LISTEN', 'LISTEN needs a session'],
  ['with preparedStatements: true', 'the option says that the pooler keeps names, and PgBouncer before 1.21 does not']
])

/**
 * Runs the tests of test/faults with `TEST_POOLER=pgbouncer`: the helpers then open databases through a PgBouncer. Gives the result
 * of each file when it is there.
 */
export async function * testsThroughPooler (): AsyncGenerator<Result> {
  const files = readdirSync('test/faults').filter((name) => name.endsWith('.test.ts') && ![...needsSession.keys()].some((word) => name.startsWith(word)))
  const others = ['--invert', `--grep=/${[...testsThatNeedSession.keys()].join('|')}/`]
  for (const file of files) {
    const child = spawn('npx', ['tap', `test/faults/${file}`, '--disable-coverage', '--reporter=tap', ...others], { env: { ...process.env, TEST_POOLER: 'pgbouncer' }, stdio: ['ignore', 'pipe', 'ignore'] })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => { text += piece })
    const code = await new Promise((resolve) => child.on('close', resolve))
    const failed = [...text.matchAll(/^ {4}not ok \d+ - (.*?)(?: #|$)/gm)].map(([, title]) => String(title))
    const passed = [...text.matchAll(/^ {4}ok \d+ - .*# time=/gm)].length
    yield { what: `test/faults/${file}`, seen: code === 0 ? `${passed} passed` : failed.join('; ') || `ended with ${code}`, isKept: code === 0 }
  }
}
