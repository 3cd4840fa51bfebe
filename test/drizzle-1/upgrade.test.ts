import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readMigrationFiles as readByDrizzle1 } from 'drizzle-orm-1/migrator'
import { check } from 'drizzle-kit-1/cli'
import t, { type Test } from 'tap'
import { readMigrations } from '../../src/migrations/folder/migration-files.js'
import { upgradeText } from '../../src/migrations/cli/report.js'
import { upgradeMigrations } from '../../src/migrations/index.js'
import { projectRoot } from '../house/source-files.js'
import { writeFolder } from '../src/migrations/folder.js'
import { copyStart, entriesOf, filesOf, writeFiles } from '../src/migrations/upgrade/folders.js'

// By a relative path, which test/loader sends to no other version.
const drizzle045 = '../../node_modules/drizzle-orm'
const { readMigrationFiles: readByDrizzle0 } = await import(`${drizzle045}/migrator.js`) as typeof import('drizzle-orm/migrator')

delete process.env['DATABASE_URL']
const folderOnly = { write: true } as const
const readFolder = (name: string) => filesOf(join(projectRoot, name))

/** The snapshots of a program whose migrations are as small as possible. */
const harbour = readFolder('test/folders/harbour')
const library = readFolder('test/folders/library')

/** Upgrades files, goes back, and returns the files in between. */
async function upAndBack (t: Test, files: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const folder = t.testdir({})
  writeFiles(folder, files)
  const dry = await upgradeMigrations({ folder })
  t.strictSame(filesOf(folder), files, 'a dry run changes nothing')
  t.strictSame(await upgradeMigrations({ folder, ...folderOnly }), { ...dry, written: true })
  const upgraded = filesOf(folder)
  t.strictSame((await upgradeMigrations({ folder, ...folderOnly })).files, [], 'a second upgrade has nothing to do')
  const names = (await readMigrations(folder)).files.map(({ tag }) => tag)
  t.strictSame(readByDrizzle1({ migrationsFolder: folder }).map(({ name }) => name), names)
  await upgradeMigrations({ folder, ...folderOnly, back: true })
  t.strictSame(filesOf(folder), files, 'back to the same bytes')
  t.strictSame((await upgradeMigrations({ folder, ...folderOnly, back: true })).files, [])
  return upgraded
}

/** The names of the migration folders in an order of their own, without times. */
const foldersOf = (files: Readonly<Record<string, string>>) => Object.keys(files).filter((name) => name.endsWith('/migration.sql')).map((name) => name.slice(0, -14))
const snapshotsIn = (files: Readonly<Record<string, string>>) => Object.keys(files).filter((name) => name.endsWith('/snapshot.json')).map((name) => name.slice(15, -14))

for (const name of ['harbour', 'library', 'market', 'orchard']) {
  t.test(`${name} gets the layout of 1.0 in the order of its journal, and its bytes back`, async (t) => {
    const files = readFolder(`test/folders/${name}`)
    const upgraded = await upAndBack(t, files)
    const entries = entriesOf(join(projectRoot, 'test/folders', name))
    t.strictSame(foldersOf(upgraded).map((folder) => upgraded[`${folder}/migration.sql`]), entries.map(({ tag }) => files[`${tag}.sql`]))
    for (const [path, text] of Object.entries(upgraded)) if (path.endsWith('/snapshot.json')) t.match(JSON.parse(text), { version: '9' }, path)
  })
}

t.test('the command shows the snapshots that it writes', async (t) => {
  const folder = t.testdir({})
  writeFiles(folder, harbour)
  t.match(upgradeText(await upgradeMigrations({ folder }), false), /\n {2}write {3}20231114221420_pier\/snapshot\.json\n/)
})

t.test('what no migration of the journal owns stays: other SQL, notes, and snapshots', async (t) => {
  const extra = { 'meta/0009_snapshot.json': 'not even JSON', 'seed.sql': 'select 1', 'notes/0000_pier.sql': '', '0000_pier.txt': '' }
  const upgraded = await upAndBack(t, { ...harbour, ...extra })
  t.match(upgraded, extra)
  const kept = Object.keys(harbour).filter((name) => name.startsWith('meta/')).map((name) => name.replace('journal', 'journal-0.31'))
  t.strictSame(Object.keys(upgraded).filter((name) => !/^\d{14}_/.test(name)).sort(), [...Object.keys(extra), ...kept].sort())
})

t.test('SQL and ways back keep their bytes: line endings, marks of the order of bytes, names with any letter, no breakpoints', async (t) => {
  const folder = t.testdir({})
  const odd = [
    { tag: '0000_windows', when: 1_700_000_000_123, sql: 'select 1;\r\n--> statement-breakpoint\r\nselect 2;\r\n', down: '-- nothing\r\n' },
    { tag: '0001_Ünï \'quoted" $&', when: 1_700_000_005_000, sql: '\uFEFFselect 1' },
    { tag: '0002_', when: 1_700_000_006_999, sql: '' },
    { tag: 'init', when: 1_700_000_009_000, sql: 'select 1', down: '' }
  ]
  writeFolder(folder, odd)
  const journal = join(folder, 'meta/_journal.json')
  writeFileSync(journal, readFileSync(journal, 'utf8').replaceAll('"breakpoints":true', '"breakpoints":false'))
  t.strictSame(foldersOf(await upAndBack(t, filesOf(folder))), ['20231114221320_windows', '20231114221325_Ünï \'quoted" $&', '20231114221326_', '20231114221329_'])
})

t.test('migrations of one second keep the order of the journal, and their whole tags if their words do not sort', async (t) => {
  const at = (when: number, ...tags: string[]) => tags.map((tag) => ({ tag, when, sql: tag }))
  const namesAfter = async (migrations: ReturnType<typeof at>) => foldersOf(await upAndBack(t, filesOf(writeFolder(t.testdir({}), migrations))))

  t.strictSame(await namesAfter(at(999, '0000_a', '0001_b')), ['19700101000000_a', '19700101000000_b'])
  t.strictSame(await namesAfter(at(999, '0000_b', '0001_a')), ['19700101000000_0000_b', '19700101000000_0001_a'])
  t.strictSame(await namesAfter(at(999, '0000_a', '0001_a')), ['19700101000000_0000_a', '19700101000000_0001_a'])
  t.strictSame(await namesAfter([...at(5000, '0000_b'), ...at(3000, '0001_a'), ...at(6000, '0002_a')]), ['19700101000005_0000_b', '19700101000005_0001_a', '19700101000006_a'])
  const unsorted = writeFolder(t.testdir({}), at(0, '9999_b', '10000_a'))
  await t.rejects(upgradeMigrations({ folder: unsorted }), { code: 'DB_MIGRATION_FAILED', message: /^9999_b and 10000_a were generated in the same second.*rename the second one/ })
})

t.test('a migration without a snapshot gets none, and the next one follows the snapshot before', async (t) => {
  const { 'meta/0001_snapshot.json': middle, ...files } = harbour
  const upgraded = await upAndBack(t, files)
  t.strictSame(snapshotsIn(upgraded), ['pier', 'name'])
  const folder = t.testdir({})
  writeFiles(folder, upgraded)
  t.match(await check({ dialect: 'postgresql', out: folder }), { status: 'ok' })
  t.strictSame(snapshotsIn(await upAndBack(t, Object.fromEntries(Object.entries(files).filter(([name]) => !name.endsWith('_snapshot.json'))))), [])
})

t.test('of two migrations that share a snapshot after a merge, the later one has it', async (t) => {
  const journal = JSON.parse(library['meta/_journal.json']!)
  const [shelf, book, room, floor] = journal.entries
  const entries = [shelf, book, { ...room, tag: '0002_left', when: room.when - 1000 }, room, floor]
  const upgraded = await upAndBack(t, { ...library, 'meta/_journal.json': JSON.stringify({ ...journal, entries }) })
  t.strictSame(foldersOf(upgraded).map((name) => name.slice(15)), ['shelf', 'book', 'left', 'room', 'floor'])
  t.strictSame(snapshotsIn(upgraded), ['shelf', 'book', 'room', 'floor'])
})

t.test('an upgrade that stops after any file is complete in one layout for every reader, and can be finished or taken back', async (t) => {
  const before = { ...harbour, '0000_pier.down.sql': 'drop table pier', '0002_name.down.sql': '' }
  const folder = t.testdir({})
  writeFiles(folder, before)
  await upgradeMigrations({ folder, ...folderOnly })
  const after = filesOf(folder)
  const readers = [
    async () => (await readMigrations(folder)).files.length,
    () => readByDrizzle0({ migrationsFolder: folder }).length,
    () => readByDrizzle1({ migrationsFolder: folder }).length
  ]
  const isMoved = (name: string) => /^\d{4}_\w+(\.down)?\.sql$/.test(name)
  const added = Object.keys(after).filter((name) => /^\d{14}_/.test(name))
  const moved = Object.keys(before).filter(isMoved)
  const stopped = [
    // Before the rename of the journal: some new files, of which the last is cut off. Then after it: some former files are left.
    ...added.map((last, index) => ({ ...before, ...Object.fromEntries(added.slice(0, index).map((name) => [name, after[name]!])), [last]: '' })),
    { ...before, ...Object.fromEntries(added.map((name) => [name, after[name]!])) },
    ...moved.map((_, index) => ({ ...after, ...Object.fromEntries(moved.slice(index).map((name) => [name, before[name as keyof typeof before]])) }))
  ]
  for (const [index, files] of stopped.entries()) {
    for (const back of [false, true]) {
      writeFiles(folder, files)
      for (const read of readers) {
        const found = await Promise.resolve().then(read).catch(() => 'refused')
        t.ok(found === 3 || found === 'refused', `${index}: ${found}`)
      }
      await upgradeMigrations({ folder, ...folderOnly, back })
      t.strictSame(filesOf(folder), back ? before : after, `${index}, ${back ? 'back' : 'forward'}`)
    }
  }
})

t.test('files that were edited or added after an interruption stay', async (t) => {
  const folder = t.testdir({})
  writeFiles(folder, harbour)
  await upgradeMigrations({ folder, ...folderOnly })
  const [pier] = foldersOf(filesOf(folder)) as [string]
  writeFileSync(join(folder, '0000_pier.sql'), 'edited')
  writeFileSync(join(folder, pier, 'notes.md'), 'why')
  await upgradeMigrations({ folder, ...folderOnly })
  t.equal(readFileSync(join(folder, '0000_pier.sql'), 'utf8'), 'edited')
  await upgradeMigrations({ folder, ...folderOnly, back: true })
  t.strictSame(filesOf(folder), { ...harbour, [`${pier}/notes.md`]: 'why' })
})

t.test('a way back that was written after the upgrade goes back, too', async (t) => {
  const folder = t.testdir({})
  writeFiles(folder, harbour)
  await upgradeMigrations({ folder, ...folderOnly })
  const [pier] = foldersOf(filesOf(folder)) as [string]
  writeFileSync(join(folder, pier, 'down.sql'), 'drop table pier')
  await upgradeMigrations({ folder, ...folderOnly, back: true })
  t.strictSame(filesOf(folder), { ...harbour, '0000_pier.down.sql': 'drop table pier' })
})

t.test('a branch with a journal that is merged after the upgrade follows by another one', async (t) => {
  const example = 'examples/migrations/drizzle'
  const [folder, kept] = [copyStart(example, join(t.testdir({}), 'folder'), 2), 'meta/_journal-0.31.json']
  await upgradeMigrations({ folder, ...folderOnly })
  const { 'meta/_journal.json': journal = '', ...merged } = filesOf(copyStart(example, join(t.testdirName, 'branch'), 3))
  const [first, second] = ['0000_users', '0001_nicknames'].map((tag) => [`${tag}.sql`, `${tag}.down.sql`]) as [string[], string[]]
  for (const name of [...first, ...second]) delete merged[name]
  writeFiles(folder, { ...filesOf(folder), ...merged, [kept]: journal })

  await upgradeMigrations({ folder, ...folderOnly })
  const whole = copyStart(example, join(t.testdirName, 'whole'), 3)
  await upgradeMigrations({ folder: whole, ...folderOnly })
  t.strictSame(filesOf(folder), filesOf(whole))
})

t.test('after drizzle-kit up, a way back beside the folders moves to the migration with its words, if there is only one', async (t) => {
  const folder = t.testdir({})
  const names = ['20240101000000_posts', '20240102000000_fix', '20240103000000_fix']
  for (const name of names) mkdirSync(join(folder, name))
  for (const name of names) writeFileSync(join(folder, name, 'migration.sql'), 'select 1')
  for (const tag of ['0000_posts', '0001_fix', '0005_gone']) writeFileSync(join(folder, `${tag}.down.sql`), tag)

  t.strictSame(await upgradeMigrations({ folder, ...folderOnly }), { written: true, files: [{ from: '0000_posts.down.sql', to: '20240101000000_posts/down.sql' }] })
  t.equal(readFileSync(join(folder, '20240101000000_posts/down.sql'), 'utf8'), '0000_posts')
  t.ok(existsSync(join(folder, '0001_fix.down.sql')))
  await t.rejects(upgradeMigrations({ folder, back: true }), { code: 'DB_MIGRATION_NO_DOWN', message: /has no meta\/_journal-0\.31\.json.*version control/ })
})

t.test('the way back is refused if migrations were written since, or one is gone', async (t) => {
  const folder = t.testdir({})
  writeFiles(folder, harbour)
  await upgradeMigrations({ folder, ...folderOnly })
  const upgraded = filesOf(folder)
  const [pier] = foldersOf(upgraded) as [string]
  writeFiles(folder, { ...upgraded, '20990101000000_new/migration.sql': '', '20990102000000_newer/migration.sql': '' })
  await t.rejects(upgradeMigrations({ folder, back: true }), {
    code: 'DB_MIGRATION_NO_DOWN', message: /^20990101000000_new, 20990102000000_newer in .* were written after the upgrade.*generate the changes again/
  })
  writeFiles(folder, upgraded)
  rmSync(join(folder, '20990101000000_new'), { recursive: true, force: true })
  rmSync(join(folder, pier, 'migration.sql'))
  await t.rejects(upgradeMigrations({ folder, back: true }), { code: 'DB_MIGRATION_MISSING', message: /migration\.sql is not: restore the file/ })
})

t.test('folders that cannot be upgraded are refused with the way out, and stay as they are', async (t) => {
  const folder = t.testdir({})
  const refuses = async (files: Record<string, string>, expected: { code: string, message: RegExp }) => {
    writeFiles(folder, files)
    await t.rejects(upgradeMigrations({ folder, ...folderOnly }), expected)
    t.strictSame(filesOf(folder), files)
  }
  await t.rejects(upgradeMigrations({ folder }), { code: 'DB_MIGRATION_MISSING', message: /has no migrations to upgrade/ })
  await refuses({ ...harbour, 'meta/0001_snapshot.json': '{' }, { code: 'DB_MIGRATION_MISSING', message: /0001_snapshot\.json is missing, or is not JSON/ })
  const isBase = harbour['meta/0001_snapshot.json']!.replace(/"prevId": ?"[^"]*"/, '"prevId":"00000000-0000-0000-0000-000000000000"')
  await refuses({ ...harbour, 'meta/0001_snapshot.json': isBase }, { code: 'DB_MIGRATION_FAILED', message: /^drizzle-kit cannot convert the snapshots \(.*history.*_boat\/snapshot\.json.*npx drizzle-kit up in a copy/ })
  await refuses({ ...harbour, '20240101000000_x/migration.sql': '' }, { code: 'DB_MIGRATION_MISSING', message: /has both layouts.*as 20240101000000_x\. .*migrate upgrade was interrupted, run it again/ })
  for (const lock of ['meta/_journal.json.lock', '.data-access/draft']) {
    await refuses({ ...harbour, [lock]: '' }, { code: 'DB_MIGRATION_LOCKED', message: /Another process is writing a migration/ })
  }
  const { '0001_boat.sql': lost, ...without } = harbour
  await refuses(without, { code: 'DB_MIGRATION_MISSING', message: /^0001_boat\.sql is in the journal of .*restore the file/ })
})

t.test('the journal is renamed when every file is written, and before any is removed; if that fails, a later upgrade goes on', async (t) => {
  const folder = t.testdir({})
  writeFiles(folder, harbour)
  const [from, to] = [join(folder, 'meta/_journal-0.31.json'), join(folder, 'aside')]
  mkdirSync(join(from, 'in the way'), { recursive: true })
  await t.rejects(upgradeMigrations({ folder, ...folderOnly }), { code: 'DB_MIGRATION_FAILED', message: /could not be changed .*run data-access migrate upgrade again\. No file is lost/ })
  t.match(filesOf(folder), harbour)
  t.equal(foldersOf(filesOf(folder)).length, 3)
  t.equal(snapshotsIn(filesOf(folder)).length, 3)
  renameSync(from, to)
  await upgradeMigrations({ folder, ...folderOnly })
  t.equal((await readMigrations(folder)).layout.isByName, true)
})

t.test('types and conditions get the words of 1.0, so that the tables have not changed', async (t) => {
  const files = readFolder('examples/realworld/migrations')
  const path = 'meta/0000_snapshot.json'
  const snapshot = JSON.parse(String(files[path]))
  const users = snapshot.tables['public.users']
  users.checkConstraints = { named: { name: 'named', value: '"users"."username" <> \'\'' } }
  users.indexes = { staff: { name: 'staff', columns: [], isUnique: false, where: '"users"."bio" is null', concurrently: false, method: 'btree', with: {} } }
  const shop = { ...users, schema: 'shop', indexes: {}, uniqueConstraints: {}, checkConstraints: { placed: { name: 'placed', value: '"shop"."users"."bio" <> "shop"."none"()' } } }
  snapshot.schemas = { shop: 'shop' }
  snapshot.tables['shop.users'] = shop
  const upgraded = await upAndBack(t, { ...files, [path]: JSON.stringify(snapshot) })
  const { ddl } = JSON.parse(String(upgraded[Object.keys(upgraded).find((name) => name.endsWith('/snapshot.json')) ?? '']))
  const parts = ddl as Array<Record<string, unknown>>
  t.equal(parts.find(({ name }) => name === 'named')?.['value'], '"username" <> \'\'')
  t.equal(parts.find(({ name }) => name === 'placed')?.['value'], '"bio" <> "shop"."none"()')
  t.equal(parts.find(({ name }) => name === 'staff')?.['where'], '"bio" is null')
  t.equal(parts.find(({ name, table }) => name === 'created_at' && table === 'users')?.['type'], 'timestamp(3) with time zone')
})
