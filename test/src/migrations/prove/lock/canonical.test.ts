import t from 'tap'
import { canonicalStatements, withoutLiterals } from '../../../../../src/migrations/prove/lock/canonical.js'

t.test('a statement becomes one line, the same for every length of its lists', async (t) => {
  const rows: ReadonlyArray<readonly [text: string, ...statements: readonly string[]]> = [
    ['select  "a",\n\t"b c" from t -- a comment with $9\n where /* and */ a=$1;', 'select "a", "b c" from t where a=$1'],
    ['select * from t where a in ($3, $4,$5) and b = any($1)', 'select * from t where a in ($1) and b = any($2)'],
    ['select * from t where (a, b) in (($1, $2), ($3, $4))', 'select * from t where (a, b) in (($1, $2))'],
    ["select * from t where a in ('x', 'y', $1, $2)", "select * from t where a in ('x','y',$1)".replaceAll(',', ', ').replace("'x', 'y', ", "'x', 'y', ")],
    ['select * from t where a = any(array[$2, $3]::int[])', 'select * from t where a = any(array[$1]::int[])'],
    ['select * from t where a in (select $2 from u where b = f($3, $4))', 'select * from t where a in (select $1 from u where b = f($2, $3))'],
    ['select * from t where a in (with u as (select 1) select $1, $1 from u)', 'select * from t where a in (with u as (select 1) select $1, $1 from u)'],
    ['insert into t (a, b) values ($1, $2), ($3, $4) returning *', 'insert into t (a, b) values ($1, $2) returning *'],
    ['insert into t (a, b) values ($1, default), ($2, $3), ($4, default)', 'insert into t (a, b) values ($1, default)', 'insert into t (a, b) values ($1, $2)'],
    ['select * from (values ($1, $2), ($3, $4), ($5, null)) as v (a, b)', 'select * from (values ($1, $2), ($3, null)) as v (a, b)'],
    ['(select $2 union select $2) order by 1', '(select $1 union select $1) order by 1'],
    ["select 'it''s', 'a\nb', e'c\n\\'d', $$x'\r\ny$$, $1::text", "select 'it''s', E'a\\nb', E'c\\n\\'d', E'x''\\r\\ny', $1::text"],
    ['select 1; begin; drop table t; delete from t', 'select 1', 'delete from t'],
    ['table t', 'table t'],
    ['set local work_mem = 1'],
    ['savepoint a'],
    ['((('],
    ['select f($1', 'select f($1'],
    ['select a from t where a in ($1, $2', 'select a from t where a in ($1, $2']
  ]
  for (const [text, ...statements] of rows) t.strictSame(canonicalStatements(text), statements, text)
})

t.test('a statement without literals has parameters in their place', async (t) => {
  const rows = [
    ["select * from t where a = 'x' and b = $1 and c < 1.5e3", 'select * from t where a = $1 and b = $2 and c < $3'],
    ["select * from t where a in ('x', 'y', e'z', $$q$$) limit 10", 'select * from t where a in ($1) limit $2'],
    ["select now() - interval '1 day', a1, .5, 0xff", "select now() - interval '1 day', a1, $1, $2"],
    ["'x' = a", '$1 = a'],
    ['select a from t', 'select a from t']
  ] as const
  for (const [text, masked] of rows) t.equal(withoutLiterals(text), masked)
})
