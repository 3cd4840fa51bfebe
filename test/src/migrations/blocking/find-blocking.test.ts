import t from 'tap'
import { findBlocking } from '../../../../src/migrations/blocking/find-blocking.js'
import { rules } from '../../../../src/migrations/blocking/rule.js'
import { keepsStorage } from '../../../../src/migrations/blocking/type-change.js'
import { forms, formsOf18 } from './forms.js'
import { foundIn, rulesIn } from './found.js'

t.test('each form of a statement is found by its rule, or by none', async (t) => {
  for (const [rule, sql, ...earlier] of [...forms, ...formsOf18]) {
    t.strictSame(rulesIn(sql, earlier).map((found) => found.split(' ')[0]), rule === 'none' ? [] : [rule], `${earlier.join('; ')} ${sql}`)
  }
})

t.test('capitals, quotes, comments and the schema public make no difference', async (t) => {
  for (const sql of [
    'alter table users alter column note set not null',
    'ALTER TABLE IF EXISTS ONLY "public"."users" ALTER "note" SET NOT NULL;',
    '-- a\nALTER /* b; /* c */ */ TABLE\n public.USERS * ALTER -- d;\n COLUMN note\tSET NOT NULL'
  ]) t.strictSame(rulesIn(sql), ['set-not-null users'], sql)
  t.strictSame(rulesIn('ALTER TABLE "Users" ALTER note SET NOT NULL'), ['set-not-null "Users"'])
  t.strictSame(rulesIn('ALTER TABLE "a.b"."c""d" ALTER note SET NOT NULL')[0], 'set-not-null "a.b"."c""d"')
  t.strictSame(rulesIn("SELECT 'ALTER TABLE users ALTER note SET NOT NULL'; COMMENT ON TABLE users IS $$; CREATE INDEX ON users (id);$$"), [])
})

t.test('a finding names the file, the line and the action', async (t) => {
  const [first, second] = foundIn('SELECT 1;\n--> statement-breakpoint\n-- a\nALTER TABLE users\n  ADD COLUMN x int DEFAULT 1,\n  ALTER COLUMN "note"   SET NOT NULL, -- b\n  ADD y int NOT NULL')

  t.match(first, { tag: '0001_x', file: '0001_x.sql', line: 6, rule: 'set-not-null', table: 'users', lock: 'ACCESS EXCLUSIVE', statement: 'ALTER COLUMN "note" SET NOT NULL' })
  t.match(first, { message: /^SET NOT NULL reads every row of users/, steps: [/NOT VALID/, /VALIDATE/, /SET NOT NULL/] })
  t.match(second, { line: 7, rule: 'not-null-without-default', statement: 'ADD y int NOT NULL' })
  const [long] = foundIn(`CREATE INDEX i ON users (${Array.from({ length: 60 }, (_, index) => `c${index}`).join(', ')})`)
  t.equal(long?.statement.length, 161)
})

t.test('every action of a long statement is read', async (t) => {
  const many = Array.from({ length: 80 }, (_, index) => `ADD COLUMN "c${index}" numeric(10, 2) DEFAULT 0 NOT NULL`)
  t.strictSame(rulesIn(`ALTER TABLE users ${many.join(', ')}, ADD CHECK (age > 0)`), ['check-constraint users'])
})

t.test('nobody uses a table yet that the same deployment creates', async (t) => {
  const fresh = 'CREATE TABLE IF NOT EXISTS fresh (id int, note text, CONSTRAINT own UNIQUE (id), LIKE users, FOREIGN KEY (id) REFERENCES users);'
  const uses = `ALTER TABLE fresh ALTER note SET NOT NULL, ADD CHECK (id > 0), ALTER id TYPE bigint, ADD COLUMN s serial; CREATE INDEX fresh_note ON fresh (note);
    DROP INDEX fresh_note; REINDEX TABLE fresh; LOCK fresh; VACUUM FULL fresh; ALTER TABLE fresh ADD CONSTRAINT k CHECK (id > 1) NOT VALID; ALTER TABLE fresh VALIDATE CONSTRAINT k;
    ALTER TABLE parts ATTACH PARTITION fresh DEFAULT; CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT 1; REFRESH MATERIALIZED VIEW v`
  const files = (isChecked: boolean) => [{ tag: 'a', file: 'a.sql', text: fresh, isChecked }, { tag: 'b', file: 'b.sql', text: uses, isChecked: true }]

  t.strictSame(rulesIn(`${fresh} ${uses}`), [])
  for (const kind of ['TEMP', 'UNLOGGED', 'LOCAL TEMPORARY']) t.strictSame(rulesIn(`CREATE ${kind} TABLE x (a int); CREATE INDEX ON x (a)`), [], kind)
  t.strictSame(rulesIn('CREATE TABLE x AS SELECT * FROM users; ALTER TABLE x ADD PRIMARY KEY (id)'), [])
  t.strictSame(findBlocking(files(true), { areTogether: true }), [])
  const expected = ['set-not-null', 'check-constraint', 'column-type', 'column-values', 'create-index', 'drop-index', 'reindex', 'lock-table', 'rewrite-table', 'work-under-lock']
  t.strictSame(findBlocking(files(true), { areTogether: false }).map(({ rule }) => rule), expected)
  t.strictSame(findBlocking(files(false), { areTogether: true }).map(({ rule }) => rule), expected, 'another deployment has created it')
  t.strictSame(rulesIn('CREATE TABLE fresh (id int) PARTITION BY RANGE (id); ALTER TABLE fresh ATTACH PARTITION teams DEFAULT'), ['attach-partition teams'])
})

t.test('a comment with a reason allows a rule for its statement', async (t) => {
  const add = 'ALTER TABLE users ALTER note SET NOT NULL'
  t.strictSame(rulesIn(`-- data-access: may-block set-not-null 200 rows\n${add};\n${add.replace('note', 'age')}`), ['set-not-null users'], 'the next one only')
  t.strictSame(rulesIn(`${add.replace(' SET', '\n-- data-access: may-block set-not-null 200 rows\nSET')}`), [])
  t.strictSame(rulesIn(`-- data-access: may-block check-constraint 200 rows\n${add}`), ['set-not-null users'], 'another rule')
  t.strictSame(rulesIn(`-- data-access: may-block set-not-null 200 rows\n-- data-access: may-block check-constraint so\n${add}, ADD CHECK (age > 0)`), [])
  t.throws(() => rulesIn(`-- data-access: may-block not-null few\n${add}`), { code: 'DB_MIGRATION_FAILED', message: /^0001_x\.sql .* unknown rule, not-null: the rules are set-not-null, / })
  t.throws(() => rulesIn(`-- data-access: may-block set-not-null\n${add}`), { code: 'DB_MIGRATION_FAILED', message: /without a rule and a reason/ })
  t.throws(() => rulesIn(`-- data-access: may-blok set-not-null few\n${add}`), { code: 'DB_MIGRATION_FAILED', message: /unknown directive, may-blok/ })
})

t.test('what earlier files rename, move, drop and index is known', async (t) => {
  const cases = [
    ['drop-index people', 'DROP INDEX users_name', 'ALTER TABLE users RENAME TO people'],
    ['drop-index x.users', 'DROP INDEX x.users_name', 'CREATE INDEX users_name ON x.users (name)'],
    ['drop-index users', 'DROP INDEX CONCURRENTLY x; DROP INDEX y', 'ALTER INDEX IF EXISTS users_name RENAME TO y; ALTER INDEX y SET (fillfactor = 50)'],
    ['drop-index ?', 'DROP INDEX users_name', 'ALTER INDEX none RENAME TO other; DROP INDEX users_name'],
    ['drop-index ?', 'DROP INDEX users_name', 'DROP TABLE IF EXISTS teams, users CASCADE'],
    ['drop-index ?', 'DROP INDEX users_pkey', 'ALTER TABLE users DROP CONSTRAINT users_pkey'],
    ['reindex users', 'REINDEX INDEX users_age_key', 'ALTER TABLE users ADD UNIQUE (age)'],
    ['reindex users', 'REINDEX INDEX k', 'CREATE UNIQUE INDEX i ON users (age); ALTER TABLE users ADD CONSTRAINT k UNIQUE USING INDEX i'],
    ['reindex ?', 'REINDEX (VERBOSE) SCHEMA public', ''],
    ['column-type users', 'ALTER TABLE users ALTER remark TYPE text COLLATE "C"', 'ALTER TABLE users RENAME note TO remark; CREATE INDEX i ON users (lower(name), remark)'],
    ['column-type users', 'ALTER TABLE users ALTER title TYPE text COLLATE "C"', 'ALTER TABLE users RENAME COLUMN name TO title'],
    ['column-type moved.users', 'ALTER TABLE moved.users ALTER name TYPE varchar(9)', 'ALTER TABLE users SET SCHEMA moved'],
    ['column-type other', 'ALTER TABLE other ALTER name TYPE text', ''],
    ['column-type users', 'ALTER TABLE users ALTER new TYPE text', 'ALTER TABLE users ALTER new SET NOT NULL'],
    ['column-type users', 'ALTER TABLE users ALTER name TYPE varchar(20)', 'ALTER TABLE users ALTER name TYPE text'],
    ['set-not-null users', 'ALTER TABLE users ALTER note SET NOT NULL', 'ALTER TABLE users ADD CONSTRAINT c CHECK (note IS NOT NULL); ALTER TABLE users DROP note; ALTER TABLE users ADD note text'],
    ['create-index parts', 'CREATE INDEX ON parts (id)', ''],
    ['set-not-null users', 'ALTER TABLE users ALTER x SET NOT NULL', 'ALTER TABLE users ADD CONSTRAINT c CHECK (x IS NOT NULL) NOT VALID; ALTER TABLE users RENAME CONSTRAINT c TO d; ALTER TABLE users VALIDATE CONSTRAINT c']
  ] as const
  for (const [expected, sql, earlier] of cases) t.strictSame(rulesIn(sql, [earlier]), [expected], `${earlier}; ${sql}`)
  const harmless: string[][] = [
    ['ALTER TABLE users ALTER name TYPE varchar(30)', 'ALTER TABLE moved.users SET SCHEMA public', 'CREATE TABLE moved.users (name varchar(20))'],
    ['ALTER TABLE people ALTER name TYPE text', 'ALTER TABLE users RENAME TO people'],
    ['ALTER TABLE users ALTER name TYPE text', 'ALTER TABLE users DROP COLUMN checked, RENAME CONSTRAINT a TO b'],
    ['ALTER TABLE users ALTER x SET NOT NULL', 'ALTER TABLE users ADD CONSTRAINT c CHECK (x IS NOT NULL) NOT VALID; ALTER TABLE users RENAME CONSTRAINT c TO d; ALTER TABLE users VALIDATE CONSTRAINT d']
  ]
  for (const [sql = '', ...earlier] of harmless) t.strictSame(rulesIn(sql, earlier.reverse()), [], sql)
  t.match(foundIn('CREATE INDEX ON parts (id)'), [{ steps: [/ON ONLY "parts"/] }], 'an index of a partitioned table is built for each partition')
})

t.test('one transaction that locks several tables in use is found once', async (t) => {
  const two = 'ALTER TABLE users ADD x int; ALTER TABLE teams ADD x int; ALTER TABLE spare ADD x int'
  t.match(foundIn(two), [{ rule: 'several-tables', table: 'teams', message: /nobody reads or writes users/ }])
  t.strictSame(rulesIn(`-- data-access: no-transaction\n${two}`), [])
  for (const sql of ['TRUNCATE users; DROP TABLE teams', 'DROP TABLE users, teams', 'ALTER TABLE users ADD x int; DROP POLICY p ON teams', 'DROP TRIGGER a ON users; DROP RULE b ON teams',
    'ALTER POLICY p ON users USING (true); CREATE RULE r AS ON UPDATE TO teams DO NOTHING; ALTER TABLE teams ALTER CONSTRAINT k DEFERRABLE']) t.strictSame(rulesIn(sql), ['several-tables teams'], sql)
  for (const sql of ['ALTER TABLE users ADD x int, ADD y int; ALTER TABLE users DROP note', 'ALTER TABLE users ADD x int; CREATE TABLE n (id int); ALTER TABLE n ADD y int',
    'CREATE TRIGGER a AFTER INSERT ON users EXECUTE FUNCTION f(); CREATE TRIGGER a AFTER INSERT ON teams EXECUTE FUNCTION f()', 'CREATE POLICY p; ALTER TABLE parts DETACH PARTITION users CONCURRENTLY',
    'ALTER TABLE users CLUSTER ON users_pkey; ALTER TABLE teams SET (fillfactor = 50)']) t.strictSame(rulesIn(sql), [], sql)
})

t.test('rows that a file writes itself, and those of a query, are told apart', async (t) => {
  const lock = 'ALTER TABLE users ADD x int;'
  for (const sql of ["INSERT INTO teams VALUES (1, 'a')", 'INSERT INTO teams DEFAULT VALUES', 'VACUUM users', 'VACUUM (VERBOSE, FULL OFF) users', 'ANALYZE users']) t.strictSame(rulesIn(lock + sql), [], sql)
  for (const sql of ['INSERT INTO teams (id) SELECT id FROM users', 'INSERT INTO teams WITH a AS (SELECT 1) SELECT 1', 'MERGE INTO teams USING users ON true WHEN MATCHED THEN DELETE', 'WITH a AS (SELECT 1) DELETE FROM ONLY teams']) {
    t.strictSame(rulesIn(lock + sql), ['work-under-lock users'], sql)
  }
})

t.test('a whole database is found without a table', async (t) => {
  for (const sql of ['VACUUM FULL', 'VACUUM (FULL)', 'VACUUM FULL FREEZE VERBOSE ANALYZE', 'CLUSTER', 'CLUSTER (VERBOSE)']) t.strictSame(rulesIn(`-- data-access: no-transaction\n${sql}`), ['rewrite-table ?'], sql)
})

t.test('text that PostgreSQL would refuse is read as far as it goes', async (t) => {
  for (const sql of ['ALTER TABLE', 'ALTER TABLE users ADD', 'ALTER TABLE users ALTER', 'ALTER TABLE users ADD CHECK (', 'CREATE INDEX', 'LOCK', 'DROP INDEX', 'DO', 'DO $$ BEGIN', 'ALTER TABLE users ADD x int DEFAULT',
    'CREATE TABLE x (a int DEFAULT', 'ALTER TABLE users RENAME', 'ALTER TABLE users ADD CONSTRAINT', 'ALTER TABLE users ADD x int GENERATED', 'ALTER TABLE users ADD FOREIGN KEY', '"', "'", '$$', ')']) t.doesNotThrow(() => foundIn(sql), sql)
})

t.test('an index and a type that nobody knows are left to PostgreSQL, or found', async (t) => {
  t.strictSame(rulesIn('ALTER TABLE users ADD PRIMARY KEY USING INDEX unknown'), [])
  t.equal(keepsStorage('varchar(5)[]', 'varchar'), false)
  t.equal(keepsStorage('geometry(Point,4326)', 'geometry'), false)
  t.equal(keepsStorage('geometry(Point,4326)', 'geometry(Point,4326)'), true)
})

t.test('each rule has a form that it finds', async (t) => {
  const found = new Set([...forms.map(([rule]) => rule), 'not-null-without-default', 'drop-index', 'lock-table', 'work-under-lock', 'several-tables', 'none'])
  t.strictSame([...found].sort(), [...Object.keys(rules), 'none'].sort())
})
