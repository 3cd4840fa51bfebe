import { chmodSync, chownSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname } from 'node:path'
import t from 'tap'
import { accountFor, accountOf, prepareFolder } from '../../../../src/testing/postgres/data-folder.js'

const root = { ...userInfo(), uid: 0, gid: 0 }

t.test('an ordinary user runs PostgreSQL under the own account', async (t) => {
  t.strictSame(accountFor(t.testdir(), { ...userInfo(), uid: 1234, gid: 5678 }), { uid: 1234, gid: 5678 })
})

t.test('for root PostgreSQL runs under the account that owns the folder', async (t) => {
  const folder = t.testdir()
  if (userInfo().uid === 0) chownSync(folder, 1234, 5678)

  t.not(accountFor(folder, root).uid, 0)
})

t.test('for root and in a folder of root, PostgreSQL runs under an account that exists', async (t) => {
  t.strictSame(accountFor('/', root), accountOf(['postgres', 'nobody']))
  t.not(accountFor('/', root).uid, 0)
})

t.test('an account that does not exist is passed over, and none at all is an error with the way out', async (t) => {
  t.strictSame(accountOf(['no-such-account', 'nobody']), accountOf(['nobody']))
  t.throws(() => accountOf(['no-such-account']), { message: /no account no-such-account.*set DATABASE_URL/ })
})

t.test('a folder that the account cannot use is replaced by one in the temporary directory, the same each time', async (t) => {
  const wanted = t.testdir()
  chmodSync(wanted, 0o500)
  const { folder, account } = prepareFolder(wanted)
  t.after(() => rmSync(folder, { recursive: true }))

  t.equal(dirname(folder), tmpdir())
  t.strictSame(prepareFolder(wanted), { folder, account })
})
