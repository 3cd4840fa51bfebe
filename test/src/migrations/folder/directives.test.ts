import t from 'tap'
import { parseMigration, singleStatements } from '../../../../src/migrations/folder/directives.js'

t.test('a file without marks runs in a transaction, part by part', async (t) => {
  t.strictSame(parseMigration('create table a ();\n--> statement-breakpoint\ncreate table b (); create table c ();\n', 'x.sql'), {
    statements: ['create table a ();', 'create table b (); create table c ();'],
    transactional: true,
    irreversible: []
  })
})

t.test('a file that is marked runs outside of a transaction, statement by statement', async (t) => {
  const { statements, transactional } = parseMigration('-- data-access: no-transaction\nvacuum a; vacuum b;\n--> statement-breakpoint\nvacuum c', 'x.sql')
  t.equal(transactional, false)
  t.strictSame(statements, ['-- data-access: no-transaction\nvacuum a', 'vacuum b', 'vacuum c'])
})

t.test('a file that is all comment has nothing to do', async (t) => {
  t.strictSame(parseMigration('-- nothing\n/* at all */ ;\n--> statement-breakpoint\n', 'x.sql').statements, [])
  t.strictSame(parseMigration('', 'x.sql').statements, [])
})

t.test('each reason why the way back loses something is read', async (t) => {
  const text = '-- data-access: irreversible the dropped column users.age\n--data-access:irreversible  rows of logs \r\nalter table users add age int'
  t.strictSame(parseMigration(text, 'x.down.sql').irreversible, ['the dropped column users.age', 'rows of logs'])
})

t.test('a mark inside a string or a function is none, and other comments are nobody\'s business', async (t) => {
  const text =
    "select '\n-- data-access: no-transaction\n', $$\n-- data-access: no-transaction\n$$; -- see data-access: no-transaction\n/* data-access: no-transaction */"
  t.equal(parseMigration(text, 'x.sql').transactional, true)
})

t.test('a mark that does not exist is refused, and so is a reason that is missing', async (t) => {
  t.throws(() => parseMigration('-- data-access: no-transactoin', 'x.sql'), {
    name: 'MigrationError', message: /^x\.sql has a mark that does not exist, no-transactoin: there are/
  })
  t.throws(() => parseMigration('-- data-access:', 'x.sql'), { message: /a mark that does not exist/ })
  t.throws(() => parseMigration('-- data-access: irreversible ', 'x.down.sql'), { message: /^x\.down\.sql is marked as irreversible without a reason/ })
})

t.test('a part with several statements is read into them', async (t) => {
  t.strictSame(singleStatements('select 1; commit').map(({ sql }) => sql), ['select 1', 'commit'])
})
