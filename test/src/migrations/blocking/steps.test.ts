/** The steps that are proposed: PostgreSQL takes them, no rule finds them, and they end where the statement would have ended. */
import t from 'tap'
import { foundIn, rulesIn } from './found.js'
import { connect, observe, prepare } from './observe.js'

/** The SQL in the steps of a finding, each with its semicolon. */
function sqlIn (steps: readonly string[]): string[] {
  return steps.flatMap((step) => Array.from(step.matchAll(/\b(?:ALTER|CREATE|DROP|REINDEX|REFRESH) [^;…]*;/g), ([sql]) => sql))
}

/** Statements with steps that are whole, and a query whose result tells whether they have come to the same end. */
const cases = [
  ['ALTER TABLE users ALTER COLUMN "note" SET NOT NULL', "select attnotnull from pg_attribute where attrelid = 'users'::regclass and attname = 'note'"],
  ['ALTER TABLE billing."Odd Names" ALTER "Is Paid" SET NOT NULL', 'select attnotnull from pg_attribute where attrelid = \'billing."Odd Names"\'::regclass and attname = \'Is Paid\''],
  ['ALTER TABLE users ADD CONSTRAINT k FOREIGN KEY (owner) REFERENCES teams ON DELETE CASCADE', 'select conname, pg_get_constraintdef(oid) from pg_constraint where contype = \'f\''],
  ['ALTER TABLE users ADD FOREIGN KEY ("owner") REFERENCES "public"."teams"("id")', 'select conname, pg_get_constraintdef(oid) from pg_constraint where contype = \'f\''],
  ['ALTER TABLE users ADD CHECK (age > 0)', "select pg_get_constraintdef(oid) from pg_constraint where contype = 'c' order by 1"],
  ['ALTER TABLE users ADD CONSTRAINT "Age" CHECK (age > 0 AND name IN (\'a\', \'b\'))', "select conname, pg_get_constraintdef(oid) from pg_constraint where contype = 'c' order by 1"],
  ['ALTER TABLE users ADD UNIQUE (id, note)', "select conname, pg_get_constraintdef(oid) from pg_constraint where contype = 'u'"],
  ['ALTER TABLE teams ADD CONSTRAINT two PRIMARY KEY (id)', "select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'teams'::regclass order by 1"],
  ['CREATE UNIQUE INDEX IF NOT EXISTS i ON users USING btree (lower(note), age DESC NULLS LAST) WHERE age > 1', "select indexdef from pg_indexes where indexname = 'i'"],
  ['DROP INDEX IF EXISTS users_name', "select indexdef from pg_indexes where indexname = 'users_name'"],
  ['REINDEX INDEX users_name', "select indexdef from pg_indexes where indexname = 'users_name'"],
  ['REINDEX TABLE public.users', "select indexdef from pg_indexes where indexname = 'users_name'"],
  ['REFRESH MATERIALIZED VIEW totals', 'select * from totals order by 1']
] as const

t.test('the steps end where the statement would have ended, and none of them is found', async (t) => {
  const client = await connect(t)
  for (const [sql, look] of cases) {
    const earlier = /two PRIMARY KEY/.test(sql) ? ['ALTER TABLE teams DROP CONSTRAINT teams_pkey'] : []
    await prepare(client, [...earlier, sql])
    const { rows: expected } = await client.query(look)
    const [finding] = foundIn(sql, earlier)
    const steps = sqlIn(finding!.steps)
    t.ok(steps.length > 0, sql)

    await prepare(client, earlier)
    for (const [index, step] of steps.entries()) {
      await client.query(step)
      t.strictSame(rulesIn(`-- data-access: no-transaction\n${step}`, [...earlier, ...steps.slice(0, index)]), [], step)
    }
    t.strictSame((await client.query(look)).rows, expected, sql)
  }
})

t.test('a column that needs a value of its own is added without it first', async (t) => {
  const client = await connect(t)
  const cases = [
    ['ADD x bigserial', 'ALTER TABLE "users" ADD COLUMN "x" bigint;'],
    ['ADD "X y" uuid DEFAULT gen_random_uuid()', 'ALTER TABLE "users" ADD COLUMN "X y" uuid;'],
    ['ADD x int NOT NULL', 'ALTER TABLE "users" ADD COLUMN "x" integer;'],
    ['ADD x varchar(9) UNIQUE', 'ALTER TABLE "users" ADD COLUMN "x" varchar(9);']
  ] as const
  for (const [action, expected] of cases) {
    const steps = sqlIn(foundIn(`ALTER TABLE users ${action}`)[0]!.steps).filter((sql) => !sql.includes('DEFAULT'))
    t.strictSame(steps, [expected], action)
    t.strictSame((await observe(client, expected, [])).works.size, 0, action)
  }
})
