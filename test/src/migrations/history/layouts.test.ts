import t from 'tap'
import { checkMigrations, getMigrationHistory, getPendingMigrations, rollbackMigrations, runMigrations } from '../../../../src/migrations/index.js'
import { migrateByDrizzle } from '../drizzle-migrators.js'
import { folderName, rewrite, tagsIn, writeFolders } from '../layouts.js'
import { build, tags } from '../setup.js'
import type { TestMigration } from '../folder.js'

// Each file creates a table, so it fails if it runs twice.
const migrationsAt = (when: number): TestMigration[] => ['apples', 'pears', 'plums'].map((name, index) => ({
  tag: `000${index}_${name}`, when: when + index * 5000, sql: `create table ${name} (id int)`, down: `drop table ${name}`
}))
const all = migrationsAt(1_700_000_000_123)
const [apples, pears, plums] = all as [TestMigration, TestMigration, TestMigration]

const namesOf = 'select name from drizzle.__drizzle_migrations order by id'
const hasNames = "select 1 from information_schema.columns where table_name = '__drizzle_migrations' and column_name = 'name'"

for (const table of ['no', '0.31', '1.0'] as const) {
  for (const layout of ['journal', 'folders'] as const) {
    for (const [first, second] of [['this package', 'drizzle'], ['drizzle', 'this package']] as const) {
      t.test(`a table of ${table === 'no' ? 'neither version' : table}, ${layout}, ${first} first: each file runs once, and every status agrees`, async (t) => {
        // The migrator of 0.45 compares times, and those that 1.0 records have no milliseconds.
        const migrations = migrationsAt(table === '1.0' && layout === 'journal' ? 1_700_000_000_000 : 1_700_000_000_123)
        const { client, tables, ...options } = await build(t, [])
        const { connectionString, folder } = options
        const apply = async (by: 'this package' | 'drizzle') => by === 'drizzle' ? migrateByDrizzle(connectionString, folder, layout) : runMigrations(options)
        if (table !== 'no') {
          const made = table === '0.31' ? 'journal' : 'folders'
          rewrite(folder, made, migrations.slice(0, 1))
          await migrateByDrizzle(connectionString, folder, made)
        }

        rewrite(folder, layout, migrations.slice(0, 2))
        t.strictSame(tags(await getPendingMigrations(options)), tagsIn(layout, migrations.slice(table === 'no' ? 0 : 1, 2)))
        for (const by of [first, second, first]) await apply(by)
        t.strictSame(tags(await getMigrationHistory(options)), tagsIn(layout, migrations.slice(0, 2)))
        rewrite(folder, layout, migrations)
        for (const by of [second, first, second]) await apply(by)
        t.strictSame(await tables(), ['apples', 'pears', 'plums'])
        t.strictSame(tags(await getMigrationHistory(options)), tagsIn(layout, migrations))
        t.strictSame(await checkMigrations(options), { ok: true, problems: [] })

        t.strictSame((await runMigrations(options)).applied, [])
        if ((await client.query(hasNames)).rowCount === 1) t.strictSame((await client.query(namesOf)).rows.map(({ name }) => name), migrations.map(folderName))

        rewrite(folder, 'folders', migrations)
        await migrateByDrizzle(connectionString, folder, 'folders')
        t.strictSame((await runMigrations(options)).applied, [])
        t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
        t.strictSame(tags((await rollbackMigrations({ ...options, steps: 2 })).rolledBack), tagsIn('folders', migrations).slice(1).reverse())
        await migrateByDrizzle(connectionString, folder, 'folders')
        t.strictSame(await tables(), ['apples', 'pears', 'plums'])
        await rollbackMigrations({ ...options, to: 'nothing' })
        t.strictSame((await client.query(namesOf)).rows, [])

        rewrite(folder, 'journal', migrations)
        t.strictSame(tags((await runMigrations(options)).applied), tagsIn('journal', migrations))
        t.strictSame((await client.query(namesOf)).rows.map(({ name }) => name), migrations.map(folderName), 'a migration of a journal gets the name that drizzle-kit up would give it')
        t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
        await migrateByDrizzle(connectionString, folder, 'journal')
      })
    }
  }
}

t.test('a new database gets the table of the version that wrote the folder', async (t) => {
  const columns = "select column_name as name, column_default as value from information_schema.columns where table_name = '__drizzle_migrations' order by ordinal_position"
  for (const layout of ['journal', 'folders'] as const) {
    const ours = await build(t, [])
    const theirs = await build(t, [])
    rewrite(ours.folder, layout, all)
    await runMigrations(ours)
    await migrateByDrizzle(theirs.connectionString, ours.folder, layout)
    t.strictSame((await ours.client.query(columns)).rows, (await theirs.client.query(columns)).rows)
    const rows = "select to_jsonb(m) - 'applied_at' as row from drizzle.__drizzle_migrations m order by id"
    t.strictSame((await ours.client.query(rows)).rows, (await theirs.client.query(rows)).rows)
    t.strictSame((await getMigrationHistory(ours)).map(({ appliedAt }) => appliedAt instanceof Date), all.map(() => layout === 'folders'))
  }
})

t.test('a run over a folder of drizzle-kit 1.0 gives a table of 0.31 the columns and names that the migrator of 1.0 would give it', async (t) => {
  const columns = 'select column_name, data_type, column_default from information_schema.columns where table_name = $1 order by ordinal_position'
  const readTable = async ({ client }: Awaited<ReturnType<typeof build>>) => [
    (await client.query(columns, ['__drizzle_migrations'])).rows, (await client.query('select id, hash, created_at, name, applied_at from drizzle.__drizzle_migrations')).rows
  ]
  const [ours, theirs] = [await build(t, [apples, pears]), await build(t, [apples, pears])]
  for (const { connectionString, folder } of [ours, theirs]) await migrateByDrizzle(connectionString, folder, 'journal')
  rewrite(ours.folder, 'folders', [apples, pears])
  await migrateByDrizzle(theirs.connectionString, theirs.folder, 'folders')
  t.strictSame((await runMigrations(ours)).applied, [])
  t.strictSame(await readTable(ours), await readTable(theirs))
  rewrite(ours.folder, 'folders', all)
  await runMigrations(ours)
  t.strictSame((await getMigrationHistory(ours)).map(({ appliedAt }) => appliedAt instanceof Date), [false, false, true])
})

t.test('a role that does not own the table of 0.31 applies a folder of drizzle-kit 1.0, and leaves the columns', async (t) => {
  const { client, tables, ...options } = await build(t, [apples])
  await migrateByDrizzle(options.connectionString, options.folder, 'journal')
  rewrite(options.folder, 'folders', all)
  await client.query(`create role layouts_guest; grant usage on schema drizzle to layouts_guest; grant create on schema public to layouts_guest;
    grant all on all tables in schema drizzle to layouts_guest; grant all on all sequences in schema drizzle to layouts_guest`)
  t.after(() => client.query('drop owned by layouts_guest; drop role layouts_guest'))
  const guest = { ...options, connectionString: `${options.connectionString}?options=-c%20role%3Dlayouts_guest` }

  t.strictSame(tags((await runMigrations(guest)).applied), tagsIn('folders', [pears, plums]))
  t.equal((await client.query(hasNames)).rowCount, 0)
  t.strictSame((await runMigrations(options)).applied, [])
  await migrateByDrizzle(options.connectionString, options.folder, 'folders')
  t.strictSame((await client.query(namesOf)).rows.map(({ name }) => name), all.map(folderName))
})

t.test('a run over a journal restores the milliseconds that drizzle-orm 1.0 leaves out, so that the migrator of 0.45 runs no file again', async (t) => {
  const { client, tables, ...options } = await build(t, [])
  rewrite(options.folder, 'folders', all)
  await migrateByDrizzle(options.connectionString, options.folder, 'folders')
  rewrite(options.folder, 'journal', all)

  t.strictSame((await runMigrations(options)).applied, [])
  t.strictSame((await client.query('select created_at from drizzle.__drizzle_migrations order by id')).rows.map((row) => Number(row.created_at)), all.map(({ when }) => when))
  await migrateByDrizzle(options.connectionString, options.folder, 'journal')
  t.equal((await client.query(namesOf)).rowCount, 3)
})

t.test('names the rows that the migrator of 0.45 has left without a name', async (t) => {
  const { client, tables, ...options } = await build(t, [])
  rewrite(options.folder, 'folders', [apples])
  await migrateByDrizzle(options.connectionString, options.folder, 'folders')
  rewrite(options.folder, 'journal', all)
  await runMigrations({ ...options, to: pears.tag })
  await migrateByDrizzle(options.connectionString, options.folder, 'journal')
  t.strictSame((await client.query(namesOf)).rows.map(({ name }) => name), [folderName(apples), folderName(pears), null])

  rewrite(options.folder, 'folders', all)
  t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
  t.strictSame((await runMigrations({ ...options, dryRun: true })).applied, [])
  t.strictSame((await client.query(namesOf)).rows[2], { name: null }, 'a dry run changes nothing')
  t.strictSame((await runMigrations(options)).applied, [])
  await migrateByDrizzle(options.connectionString, options.folder, 'folders')
  t.strictSame((await client.query(namesOf)).rows.map(({ name }) => name), all.map(folderName))
})

t.test('tells migrations of one second apart, by hash if their rows have no names', async (t) => {
  const twins = [{ ...pears, tag: '0000_pears', when: apples.when + 100 }, { ...apples, tag: '0001_apples' }]
  const { client, tables, ...options } = await build(t, [])
  rewrite(options.folder, 'journal', twins)
  await migrateByDrizzle(options.connectionString, options.folder, 'journal')
  t.equal((await client.query('select * from drizzle.__drizzle_migrations')).rowCount, 2)
  rewrite(options.folder, 'folders', twins)
  t.strictSame(tags(await getMigrationHistory(options)), tagsIn('folders', twins))

  writeFolders(options.folder, [{ ...apples, sql: 'edited' }])
  t.match((await checkMigrations(options)).problems, [{ kind: 'edited', tag: folderName(apples), message: /^20231114221320_apples\/migration\.sql was edited/ }])
  t.equal((await checkMigrations(options)).problems.length, 1)

  writeFolders(options.folder, [apples])
  await migrateByDrizzle(options.connectionString, options.folder, 'folders')
  t.strictSame((await client.query(namesOf)).rows.map(({ name }) => name), tagsIn('folders', twins))
})

t.test('tells migrations of one second apart by name, also if the folder lacks one of them', async (t) => {
  const twins = [apples, { ...pears, when: apples.when + 100 }]
  const { client, tables, ...options } = await build(t, [])
  rewrite(options.folder, 'folders', twins)
  await migrateByDrizzle(options.connectionString, options.folder, 'folders')
  rewrite(options.folder, 'folders', twins.slice(1))

  const { problems } = await checkMigrations(options)
  t.match(problems, [{ kind: 'missing', message: /does not have, 20231114221320_apples, generated 2023-11-14T22:13:20\.000Z/ }])
  t.equal(problems.length, 1)
  await t.rejects(rollbackMigrations({ ...options, steps: 2 }), { code: 'DB_MIGRATION_MISSING' })
  await rollbackMigrations(options)
  t.strictSame((await client.query(namesOf)).rows, [{ name: folderName(apples) }])
  t.strictSame(await tables(), ['apples'])
})

t.test('a migration of a journal is recognized by its name, so an edited one is reported as edited', async (t) => {
  const { client, tables, ...options } = await build(t, [])
  rewrite(options.folder, 'folders', all)
  await migrateByDrizzle(options.connectionString, options.folder, 'folders')
  rewrite(options.folder, 'journal', [apples, { ...pears, sql: 'edited' }, plums])

  t.strictSame((await checkMigrations(options)).problems.map(({ kind, tag }) => [kind, tag]), [['edited', pears.tag]])
})

t.test('a renamed folder of drizzle-kit 1.0 is another migration, and is never run a second time', async (t) => {
  const { tables, ...options } = await build(t, [])
  rewrite(options.folder, 'folders', [apples])
  await runMigrations(options)
  rewrite(options.folder, 'folders', [{ ...apples, tag: '0000_renamed' }])

  t.strictSame((await checkMigrations(options)).problems.map(({ kind }) => kind), ['missing', 'pending'])
  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_MISSING', message: /20231114221320_apples/ })
})

t.test('matches a row without a name by its hash if the time of its folder changed', async (t) => {
  const { client, tables, ...options } = await build(t, [apples])
  await migrateByDrizzle(options.connectionString, options.folder, 'journal')
  const moved = { ...apples, when: apples.when + 60_000 }
  rewrite(options.folder, 'folders', [moved])

  t.strictSame((await runMigrations(options)).applied, [])
  await migrateByDrizzle(options.connectionString, options.folder, 'folders')
  t.strictSame((await client.query(namesOf)).rows, [{ name: folderName(moved) }])
})

t.test('applies an older folder of drizzle-kit 1.0 that was merged later, as its migrator does', async (t) => {
  const ours = await build(t, [])
  const theirs = await build(t, [])
  for (const { client, tables, ...options } of [ours, theirs]) {
    rewrite(options.folder, 'folders', [apples, plums])
    await runMigrations(options)
    rewrite(options.folder, 'folders', all)
    t.strictSame((await checkMigrations(options)).problems.map(({ kind }) => kind), ['pending'])
  }
  t.strictSame(tags((await runMigrations(ours)).applied), [folderName(pears)])
  await migrateByDrizzle(theirs.connectionString, theirs.folder, 'folders')
  for (const { client, tables, ...options } of [ours, theirs]) {
    t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
    t.strictSame(tags((await rollbackMigrations(options)).rolledBack), [folderName(pears)], 'the newest migration is the one applied last')
    t.strictSame(tags((await runMigrations(options)).applied), [folderName(pears)])
    t.strictSame(tags(await getMigrationHistory(options)), tagsIn('folders', [apples, plums, pears]))
  }
})

t.test('a migration recorded twice counts once, with and without its name', async (t) => {
  const { client, tables, ...options } = await build(t, [])
  rewrite(options.folder, 'folders', all)
  await runMigrations(options)
  await client.query("insert into drizzle.__drizzle_migrations (hash, created_at, name) select 'other', created_at, case when name ~ 'plums' then name end from drizzle.__drizzle_migrations")

  t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
  t.strictSame(tags((await rollbackMigrations({ ...options, steps: 2 })).rolledBack), tagsIn('folders', [plums, pears]))
  t.equal((await client.query(namesOf)).rowCount, 2)
})
