import t from 'tap'
import { addStatement, emptyLock, formatLock, parseLock } from '../../../../../src/migrations/prove/lock/statement-lock.js'

t.test('a lock is written by table and text, and read back', async (t) => {
  const lock = emptyLock()
  lock.migration = '0007_nickname'
  t.ok(addStatement(lock, 'select 2 from users', 'users'))
  t.ok(addStatement(lock, 'select 1', undefined))
  t.ok(addStatement(lock, 'delete from users', 'users'))
  t.ok(addStatement(lock, 'delete from accounts', 'accounts'))
  t.notOk(addStatement(lock, 'select 1', 'users'))

  const text = formatLock(lock)
  t.equal(text.slice(text.indexOf('-- newest')), `-- newest migration: 0007_nickname

-- table accounts
delete from accounts

-- table users
delete from users
select 2 from users

-- SQL of the program
select 1
`)
  t.strictSame(parseLock(text), lock)
  t.equal(formatLock(parseLock(text.replaceAll('\n', '\r\n'))), text)
  t.strictSame(parseLock(formatLock(emptyLock())), emptyLock())
})

t.test('both sides of a merge conflict count', async (t) => {
  const { statements } = parseLock('-- SQL of the program\n<<<<<<< ours\nselect 1\n||||||| base\n=======\nselect 2\n>>>>>>> theirs\n')
  t.strictSame([...statements.keys()], ['select 1', 'select 2'])
})

t.test('statements that differ in literals only become one, when they are many', async (t) => {
  const lock = emptyLock()
  for (let id = 0; id < 8; id++) t.ok(addStatement(lock, `select a from t where id = ${id}`, undefined))
  addStatement(lock, 'select a from t where id = $1', 't')
  t.equal(lock.statements.size, 9)

  t.ok(addStatement(lock, 'select a from t where id = 8', 't'))
  t.notOk(addStatement(lock, 'select a from t where id = 9', 't'))
  t.match(formatLock(lock), '\n-- table t\nselect a from t where id = $1 -- literals vary\n')
  t.strictSame(parseLock(formatLock(lock)), lock)
})
