import { findBlocking } from '../../../../src/migrations/blocking/find-blocking.js'

/** The tables that the statements of the tests are about, as an earlier migration created them. */
export const before = `
CREATE TABLE "users" ("id" integer PRIMARY KEY, "name" varchar(20), "note" text, "age" integer, "price" numeric(8, 2), "sum" numeric, "at" timestamp(3),
  "moment" timestamp with time zone, "code" char(5), "words" varchar(5)[], "net" cidr, "bits" bit varying(5), "span" interval(2), "data" json, "owner" int,
  "safe" text NOT NULL, "checked" varchar(10) CHECK ("checked" <> 'q'), "twice" int GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE teams (id int PRIMARY KEY, name text);
CREATE SCHEMA billing;
CREATE TABLE billing."Odd Names" ("Is Paid" boolean, id int);
CREATE INDEX users_name ON users (name);
CREATE MATERIALIZED VIEW totals AS SELECT id, count(*) AS n FROM users GROUP BY id;
CREATE UNIQUE INDEX ON totals (id);
CREATE TABLE parts (id int) PARTITION BY RANGE (id);
CREATE TABLE spare (id int);
`

/** What is found in a file behind {@link before}. */
export function foundIn (text: string, earlier: readonly string[] = []) {
  const files = [before, ...earlier, text].map((each, index, { length }) => ({ tag: `000${index}_x`, file: `000${index}_x.sql`, text: each, isChecked: index === length - 1 }))
  return findBlocking(files, { areTogether: true })
}

/** The rules and tables of the findings. */
export function rulesIn (text: string, earlier: readonly string[] = []): string[] {
  return foundIn(text, earlier).map(({ rule, table }) => `${rule} ${table ?? '?'}`)
}
