import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { runCommand } from '../../../../src/migrations/cli/command.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import type { Test } from 'tap'

/** The text of a schema file with one table. */
export const users = (name: string) => `
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
export const users = pgTable('users', { id: integer().primaryKey(), ${name}: text().notNull() })
`

/** Writes a configuration and a schema. A changed schema needs a new name, because a module is loaded once. */
export function writeSchema (cwd: string, name: string, text: string): void {
  writeFileSync(join(cwd, `${name}.mjs`), text)
  writeFileSync(join(cwd, 'drizzle.config.json'), JSON.stringify({ dialect: 'postgresql', schema: `./${name}.mjs`, out: './drizzle' }))
}

export interface Answer {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the command like a process of its own. */
export async function call (
  cwd: string,
  argv: readonly string[],
  { env = {}, signal = new AbortController().signal, onLine }: { env?: Record<string, string>, signal?: AbortSignal, onLine?: () => void } = {}
): Promise<Answer> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  let err = ''
  stderr.on('data', (text) => { err += text; onLine?.() })
  const code = await runCommand(argv, { cwd, env, stdin, stdout, stderr, signal })
  await new Promise((resolve) => stderr.end(resolve))
  return { code, out: String(stdout.read() ?? ''), err }
}

interface TerminalCall {
  readonly answer?: string | undefined
  readonly env?: Record<string, string>
  readonly signal?: AbortSignal
  readonly onQuestion?: () => void
}

/** Runs the command in a terminal. `answer` is typed where it asks; `undefined` ends the input. */
export async function callInTerminal (
  cwd: string, argv: readonly string[], { answer, env = {}, signal = new AbortController().signal, onQuestion }: TerminalCall
): Promise<Answer> {
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  const stdout = new PassThrough()
  const stderr = Object.assign(new PassThrough(), { isTTY: true })
  let err = ''
  stderr.on('data', (text) => {
    err += text
    if (!/[:>] $/.test(err)) return
    if (onQuestion !== undefined) onQuestion()
    else if (answer === undefined) stdin.end()
    else stdin.write(`${answer}\n`)
  })
  const code = await runCommand(argv, { cwd, env, stdin, stdout, stderr, signal })
  return { code, out: String(stdout.read() ?? ''), err }
}

/** A database, a folder with a configuration, and the command in it. */
export async function build (t: Test, files?: Record<string, string>) {
  const { connectionString } = await createTestDatabase(t)
  const cwd = t.testdir(files ?? {})
  if (files === undefined) writeSchema(cwd, 'schema', users('name'))
  const migrate = (...argv: string[]) => call(cwd, ['migrate', ...argv], { env: { DATABASE_URL: connectionString } })
  const json = async (...argv: string[]) => { const { code, out } = await migrate(...argv, '--json'); return { code, ...JSON.parse(out) } }
  return { connectionString, cwd, migrate, json }
}
