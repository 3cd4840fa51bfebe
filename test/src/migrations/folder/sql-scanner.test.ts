import t from 'tap'
import { scanSql } from '../../../../src/migrations/folder/sql-scanner.js'

const sqlOf = (text: string) => scanSql(text).statements.map(({ sql }) => sql)
const wordsOf = (text: string) => scanSql(text).statements.map(({ words }) => words.join(' '))

t.test('a statement ends at a semicolon, and the last one with the text', async (t) => {
  t.strictSame(sqlOf('select 1; select 2 ;\n\nselect 3'), ['select 1', 'select 2', 'select 3'])
  t.strictSame(sqlOf(' ; ;; \n'), [])
})

t.test('a semicolon inside something else ends nothing', async (t) => {
  const whole = [
    "select 'a;b', 'it''s; so'",
    "select E'it\\'s; so', e'\\\\'",
    'select ";" from "a "";"" b"',
    'select $$ begin; commit; $$, $x$ $$;$$ $y$;$y$ $x$',
    'select 1 /* a; /* nested; */ b; */ + 1',
    'select 1 -- a; b\n + 1',
    'create rule r as on insert to a do also (delete from b; delete from c)',
    'create or replace function f() returns int begin atomic select case when true then 1 else 2 end; select 2; end',
    'create procedure p() begin atomic select 1; end',
    'select $1, a$b$c from t',
    'select naïve'
  ]
  for (const text of whole) t.strictSame(sqlOf(`${text}; select 'next'`), [text, "select 'next'"], text)
})

t.test('a backslash escapes in strings that begin with E only', async (t) => {
  t.strictSame(sqlOf("select 'a\\'; select 'b'"), ["select 'a\\'", "select 'b'"])
  t.strictSame(sqlOf("select type'a\\'; select 2"), ["select type'a\\'", 'select 2'])
})

t.test('what is not closed ends with the text', async (t) => {
  for (const text of ["select 'a;", "select E'a;\\'", 'select "a;', 'select $$a;', 'select 1 /* a;', 'select (1;']) t.strictSame(sqlOf(text), [text], text)
})

t.test('the words of a statement are its keywords, names and signs, without strings and comments', async (t) => {
  t.strictSame(wordsOf("/* a */ create -- commit\n Index Concurrently \"My commit\" on t (a, b) where c = 'commit'"),
    ['CREATE INDEX CONCURRENTLY "My commit" ON T ( A , B ) WHERE C = \''])
  t.strictSame(wordsOf('begin; end case; END'), ['BEGIN', 'END CASE', 'END'])
})

t.test('comments of one line are given without their dashes, wherever the statement stands', async (t) => {
  t.strictSame(scanSql("-- a\nselect '-- b', $$\n-- c\n$$ --d\r\n; --").lineComments, [' a', 'd', ''])
})

t.test('long texts and long strings are read without trouble', async (t) => {
  const long = `insert into t values ('${"x'';".repeat(500_000)}', E'${'\\\\'.repeat(500_000)}')`
  t.strictSame(sqlOf(`${long}; select 1`).map((sql) => sql.length), [long.length, 8])
  t.equal(wordsOf(`insert into t values ${'(1),'.repeat(50_000)}(1); select 1`).length, 2)
})
