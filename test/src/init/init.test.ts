import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { nameFor, nameProblem } from '../../../src/init/service-name.js'
import { call } from '../migrations/cli/calling.js'
import { filesOf, serviceFiles } from './trees.js'

t.test('an empty folder becomes a service, named after it', async (t) => {
  const cwd = join(t.testdir(), 'My Shop')
  mkdirSync(cwd)
  const { code, out, err } = await call(cwd, ['init', '--yes'])

  t.match({ code, err }, { code: 0, err: '' })
  t.equal(out, `Wrote\n${serviceFiles.map((path) => `  ${path}\n`).join('')}\nNext\n  npm install\n  npm test\n  npm start\n`)
  const files = filesOf(cwd)
  t.strictSame(Object.keys(files).sort(), [...serviceFiles].sort())
  t.match(JSON.parse(files['package.json']!), {
    name: 'my-shop', type: 'module', private: true, scripts: { start: 'node --import tsx server.ts' }, dependencies: { 'drizzle-orm': '^0.45.4' }
  })
  t.match(files['README.md'], /^# my-shop\n/)
  t.ok(files['package.json']!.endsWith('}\n'))
})

t.test('every version is one that the tests of this package use', async (t) => {
  const cwd = t.testdir()
  await call(cwd, ['init', '--name', 'shop'])
  const { version, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const { name, dependencies, ...made } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'))

  t.equal(name, 'shop')
  for (const [name, wanted] of Object.entries({ ...dependencies, ...made.devDependencies })) {
    t.equal(wanted, name === 'fastify-data-access' ? `^${version}` : devDependencies[name], name)
  }
})

t.test('a second run writes nothing, and a third one only the file that is gone', async (t) => {
  const cwd = t.testdir({ '.git': { HEAD: 'ref: refs/heads/main\n' } })
  await call(cwd, ['init'])
  const before = filesOf(cwd)

  t.match(await call(cwd, ['init']), { code: 0, out: /^Nothing to write: everything is there already\n\nLeft as they are\n/ })
  t.strictSame(filesOf(cwd), before)
  for (const path of ['server.ts', 'drizzle.config.ts']) rmSync(join(cwd, path))
  t.match(await call(cwd, ['init']), { code: 0, out: /^Wrote\n {2}drizzle\.config\.ts\n {2}server\.ts\n\n/ })
  t.strictSame(filesOf(cwd), before)
})

t.test('--dry-run lists the files and writes none', async (t) => {
  const cwd = t.testdir()
  const { code, out } = await call(cwd, ['init', '--dry-run', '--json', '--url', 'postgresql://ada:secret@db/shop'])

  t.equal(code, 0)
  t.strictSame(JSON.parse(out), { written: [...serviceFiles, '.env'], added: [], kept: [], advice: [], next: ['npm install', 'npm test', 'npm start'] })
  t.match(await call(cwd, ['init', '--dry-run']), { out: /^Would write\n {2}package\.json\n/ })
  t.strictSame(filesOf(cwd), {})
})

t.test('a URL goes into .env, which its owner alone can read, and is never printed', async (t) => {
  const cwd = t.testdir()
  const { out, err } = await call(cwd, ['init', '--url', 'postgresql://ada:secret@db/shop'])

  t.equal(readFileSync(join(cwd, '.env'), 'utf8'), 'DATABASE_URL=postgresql://ada:secret@db/shop\n')
  t.equal(statSync(join(cwd, '.env')).mode & 0o777, 0o600)
  t.notMatch(out + err, 'secret')
  t.match(await call(cwd, ['init', '--url', 'postgresql://ada:secret@db/other']), { out: /\n\.env is there already: write DATABASE_URL into it\.\n/ })
  t.match(readFileSync(join(cwd, '.env'), 'utf8'), '/shop')
})

t.test('a URL with characters that a .env file knows is quoted', async (t) => {
  const cwd = t.testdir()
  await call(cwd, ['init', '--url', "postgresql://ada:it's`x@db/shop"])
  const text = readFileSync(join(cwd, '.env'), 'utf8')

  t.equal(text, "DATABASE_URL='postgresql://ada:it%27s`x@db/shop'\n")
})

t.test('wrong arguments are refused, and nothing is written', async (t) => {
  const cwd = t.testdir()
  const cases: ReadonlyArray<readonly [argv: readonly string[], message: RegExp]> = [
    [['shop'], /^init takes no argument: .*Make the folder/],
    [['--steps', '1'], /^init has no option --steps/],
    [['--nosuch'], /Unknown option '--nosuch'/],
    [['--name', 'My Shop'], /^The name of a package has small letters/],
    [['--url', 'mysql://ada:secret@db/shop'], /^The URL is not a URL of the form postgresql:/]
  ]
  for (const [argv, message] of cases) t.match(await call(cwd, ['init', ...argv]), { code: 2, out: '', err: message }, argv.join(' '))
  t.match(await call(cwd, ['migrate', 'up', '--yes']), { code: 2, err: /^migrate up has no option --yes/ })
  t.strictSame(filesOf(cwd), {})
})

t.test('a package.json that cannot be completed is refused, and nothing is written', async (t) => {
  const cases: ReadonlyArray<readonly [text: string, message: RegExp]> = [
    ['{ "secret": ', /^package\.json is not JSON, so nothing was written\n$/],
    ['[]', /^package\.json is not an object/],
    ['{ "scripts": [] }', /^"scripts" of package\.json is not an object/]
  ]
  for (const [text, message] of cases) {
    const cwd = t.testdir({ 'package.json': text })
    t.match(await call(cwd, ['init']), { code: 1, err: message })
    t.strictSame(filesOf(cwd), { 'package.json': text })
  }
})

t.test('the help names the options', async (t) => {
  t.match(await call('.', ['init', '--help']), { code: 0, out: /^data-access init \[options\][^]*--dry-run/ })
  t.match(await call('.', ['--help']), { code: 0, out: /^data-access init \[options\]\ndata-access migrate/ })
})

t.test('a link that leads nowhere is not written through, and the run after its end goes on', async (t) => {
  const cwd = t.testdir({ 'build-server.ts': t.fixture('symlink', 'elsewhere.ts') })
  t.match(await call(cwd, ['init']), { code: 1, err: /EEXIST.*build-server\.ts/ })
  rmSync(join(cwd, 'build-server.ts'))

  t.match(await call(cwd, ['init']), { code: 0, out: /^Wrote\n {2}build-server\.ts\n {2}server\.ts\n {2}notes\.test\.ts\n\n/ })
  t.strictSame(Object.keys(filesOf(cwd)).sort(), [...serviceFiles].sort())
})

t.test('a name is made of that of the folder, whatever it is', async (t) => {
  t.strictSame(['Shop', 'my shop', '_x', '.hidden', '日本', 'a--', 'x'.repeat(300)].map(nameFor), ['shop', 'my-shop', 'x', 'hidden', 'my-service', 'a', 'x'.repeat(214)])
  t.strictSame(['shop', '@a/b', 'a.b_c~1'].map(nameProblem), [undefined, undefined, undefined])
  t.match(['x'.repeat(215), '', '../a', '@a'].map(nameProblem), [/214/, /small/, /small/, /small/])
})
