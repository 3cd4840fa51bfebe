import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { runCommand } from '../../../src/migrations/cli/command.js'
import { filesOf } from './trees.js'

/** Runs init in a terminal. Each answer is typed when its question is there; `undefined` ends the input, and Ctrl-C is a function. */
async function ask (
  cwd: string,
  answers: ReadonlyArray<string | undefined | (() => void)>,
  { argv = [] as string[], signal = new AbortController().signal, env = {}, isShown = true } = {}
) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  const stdout = new PassThrough()
  const stderr = Object.assign(new PassThrough(), { isTTY: isShown })
  let said = ''
  let next = 0
  stderr.on('data', (text) => {
    said += text
    if (!/: $/.test(said)) return
    const answer = answers[next++]
    if (typeof answer === 'string') stdin.write(`${answer}\n`)
    else if (answer === undefined) stdin.end()
    else answer()
  })
  const code = await runCommand(['init', ...argv], { cwd, env, stdin, stdout, stderr, signal })
  return { code, said, asked: next, out: String(stdout.read() ?? '') }
}

t.test('asks for the name and the database in a terminal, until the answers can be used', async (t) => {
  const cwd = t.testdir()
  const { code, said } = await ask(cwd, ['My Shop', 'my-shop', '3', '2', 'localhost', 'postgresql://ada@db/shop'])

  t.equal(code, 0)
  t.match(said, /^Name of the service \[test-[^\]]*\]: The name of a package has small letters.*\nName of the service/)
  t.match(said, /: PostgreSQL\n {2}1 {2}.*\n {2}2 {2}.*\n\[1\]: Answer 1 or 2\nPostgreSQL[^]*Its URL, .*: The URL is not a URL/)
  t.equal(JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')).name, 'my-shop')
  t.equal(readFileSync(join(cwd, '.env'), 'utf8'), 'DATABASE_URL=postgresql://ada@db/shop\n')
})

t.test('an empty answer takes what the question offers', async (t) => {
  const cwd = t.testdir()
  t.match(await ask(cwd, ['', '']), { code: 0, asked: 2 })

  t.match(JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')).name, /^test-/)
  t.notOk('.env' in filesOf(cwd))
})

t.test('asks nothing that is known, nothing with --yes, and nothing where nobody would see it', async (t) => {
  t.match(await ask(t.testdir(), [], { argv: ['--yes'] }), { code: 0, asked: 0, said: '' })
  t.match(await ask(t.testdir(), [], { argv: ['--dry-run'] }), { code: 0, asked: 0, said: '' })
  t.match(await ask(t.testdir(), [], { isShown: false }), { code: 0, asked: 0, said: '' })
  t.match(await ask(t.testdir(), [], { env: { CI: 'true' } }), { code: 0, asked: 0, said: '' })
  t.match(await ask(t.testdir(), [], { argv: ['--name', 'shop', '--url', 'postgresql://db/shop'] }), { code: 0, asked: 0 })
  t.match(await ask(t.testdir({ '.env': '' }), [], { argv: ['--name', 'shop'] }), { code: 0, asked: 0 })
  t.match(await ask(t.testdir({ 'package.json': '{ "name": "shop" }' }), ['1']), { code: 0, asked: 1, said: /^PostgreSQL/ })
})

t.test('an end of the input and Ctrl-C write nothing', async (t) => {
  const cwd = t.testdir()
  t.match(await ask(cwd, ['shop', undefined]), { code: 1, said: /The question was not answered, so nothing was written\n$/ })
  const stop = new AbortController()
  t.match(await ask(cwd, ['shop', () => stop.abort()], { signal: stop.signal }), { code: 130 })
  t.strictSame(filesOf(cwd), {})
})
