import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from 'pg'
import t from 'tap'
import { checkMigrations, rollbackMigrations, runMigrations, writeDownFiles } from '../../src/migrations/index.js'
import { readCatalogue } from '../model-based/migrations/catalogue.js'
import { build, tags } from '../src/migrations/setup.js'

// Folders of migrations like those in public repositories. Each test writes the missing ways back, and migrates up, down and up again with rows.

interface Folder {
  readonly name: string
  readonly about: string
  /** Rows for the newest tables. */
  readonly rows: string
  /** The expected reasons of irreversible ways back, by tag. Such a way back may be refused, but may lose nothing that it does not list. */
  readonly irreversible: Readonly<Record<string, RegExp>>
  /** The problems that `check` finds when all is applied. */
  readonly found?: readonly string[]
}

const folders: readonly Folder[] = [
  {
    name: 'harbour',
    about: 'snapshots of an older drizzle-kit, SQL that accepts existing objects',
    rows: "insert into pier values (1, 'north', 'rough'); insert into boat values (1, 1, '2020-01-02', 'ada'), (2, null, null, '')",
    irreversible: {}
  },
  {
    name: 'library',
    about: 'a merged branch: prevId skips a migration, a snapshot lacks a table, a file is in no journal',
    rows: "insert into shelf values (1, 'red', 2), (2, null, null); insert into book values (1, 'first'), (2, 'second')",
    irreversible: { '0003_floor': /^changes of its snapshots that its SQL does not make: CREATE TABLE book/ },
    found: ['unlisted']
  },
  {
    name: 'orchard',
    about: 'SQL edited by hand: another spelling, and a trigger',
    rows: "insert into tree values (1, 'pear', now(), 3, 4), (2, null, null, null, null)",
    irreversible: { '0002_touch': /^changes of its SQL that its snapshots do not have: CREATE FUNCTION touch, CREATE TRIGGER touch$/ }
  },
  {
    name: 'market',
    about: 'a journal whose times are out of order',
    rows: "insert into stall values (1, 'ada', 10), (2, null, null)",
    irreversible: {}
  }
]

/** The number of rows of each table. */
async function countRows (client: Client): Promise<Record<string, number>> {
  const { rows } = await client.query<{ name: string, count: string }>(
    "select relname as name, (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %s', oid::regclass), false, true, '')))[1]::text as count from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
  )
  return Object.fromEntries(rows.map(({ name, count }) => [name, Number(count)]))
}

for (const { name, about, rows, irreversible: expected, found = [] } of folders) {
  t.test(`${name} (${about}): each way back restores the start or is refused with its reason, and loses only what it lists`, async (t) => {
    const { client, connectionString, folder: root } = await build(t, [])
    const folder = join(root, name)
    cpSync(new URL(name, import.meta.url), folder, { recursive: true })
    const options = { folder, connectionString }
    const { written } = await writeDownFiles(options)
    for (const { tag, irreversible } of written) {
      if (expected[tag] === undefined) t.strictSame(irreversible, [], tag)
      else t.match(irreversible, [expected[tag]], tag)
    }

    const catalogues = [await readCatalogue(client)]
    for (const { tag } of written) {
      t.strictSame(tags((await runMigrations({ ...options, to: tag })).applied), [tag])
      catalogues.push(await readCatalogue(client))
    }
    await client.query(rows)
    const before = await countRows(client)
    t.strictSame((await checkMigrations(options)).problems.map(({ kind }) => kind), found)

    for (const [index, { tag, irreversible }] of [...written.entries()].reverse()) {
      if (irreversible.length > 0) {
        await t.rejects(rollbackMigrations(options), { code: 'DB_MIGRATION_IRREVERSIBLE', message: irreversible[0]! })
        t.strictSame(await readCatalogue(client), catalogues[index + 1], 'refused before anything changes')
      }
      t.strictSame(tags((await rollbackMigrations({ ...options, confirmIrreversible: true })).rolledBack), [tag])
      const left = await countRows(client)
      for (const [table, count] of Object.entries(left)) t.equal(count, before[table], `${tag} loses no row of ${table}`)
      t.strictSame(
        Object.keys(left),
        Object.keys(before).filter((table) => catalogues[index]?.['columns']?.some((column) => (column as { relname: string }).relname === table)),
        `${tag} drops only its own tables`
      )
      if (irreversible.length === 0 || name === 'library') t.strictSame(await readCatalogue(client), catalogues[index], `${tag} leads back to the start`)
    }
    // An irreversible way back leaves the trigger's function, which a person would drop.
    await client.query('drop function if exists touch()')
    t.equal((await runMigrations(options)).applied.length, written.length)
    t.strictSame(await readCatalogue(client), catalogues.at(-1))
  })
}
