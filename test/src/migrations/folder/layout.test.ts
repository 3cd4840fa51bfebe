import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { upgradedNames } from '../../../../src/migrations/folder/migration-folders.js'
import { checkMigrations, createMigration, rollbackMigrations, runMigrations, writeDownFiles } from '../../../../src/migrations/index.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { isDrizzle1 } from '../../../helpers/drizzle.js'
import { posts, users } from '../folder.js'
import { folderName, rewrite, writeFolders } from '../layouts.js'
import { build, tags } from '../setup.js'

const [usersName, postsName] = [folderName(users), folderName(posts)]

t.test('refuses a folder with both layouts, and one with neither, and says the ways out', async (t) => {
  const { connectionString, folder } = await build(t)
  writeFolders(folder, [posts])
  const both = { code: 'DB_MIGRATION_MISSING', message: /has both layouts .* as 20231114221321_posts\. .* drizzle-kit up .* move one of the two away/ }
  await t.rejects(runMigrations({ connectionString, folder }), both)
  await t.rejects(checkMigrations({ connectionString, folder }), both)
  const neither = { code: 'DB_MIGRATION_MISSING', message: /has no migrations: neither a journal, .* npx data-access migrate create, or pass the right folder/ }
  await t.rejects(runMigrations({ connectionString, folder: t.testdir({ notes: { 'a.md': '' } }) }), neither)
  await t.rejects(runMigrations({ connectionString, folder: join(folder, 'gone') }), neither)
})

t.test('refuses a folder whose SQL file is gone, and one whose name has no time', async (t) => {
  const { connectionString, folder } = await build(t, [])
  rewrite(folder, 'folders', [users, posts])
  rmSync(join(folder, postsName, 'migration.sql'))
  await t.rejects(runMigrations({ connectionString, folder }), {
    code: 'DB_MIGRATION_MISSING', message: /^20231114221321_posts\/snapshot\.json is in .*, but 20231114221321_posts\/migration\.sql is not: restore the file, or remove the folder/
  })
  rewrite(folder, 'folders', [users])
  mkdirSync(join(folder, 'init'))
  writeFileSync(join(folder, 'init/migration.sql'), 'select 1')
  await t.rejects(runMigrations({ connectionString, folder }), { code: 'DB_MIGRATION_MISSING', message: /^The name of init in .* does not begin with a time.*rename it to <YYYYMMDDHHMMSS>_init/ })
})

t.test('a way back is down.sql in the folder of its migration', async (t) => {
  const { client, tables, ...options } = await build(t, [])
  rewrite(options.folder, 'folders', [users, { ...posts, down: '-- data-access: irreversible the posts\ndrop table posts' }])
  t.match((await runMigrations(options)).applied, [{ tag: usersName, when: users.when, hasDown: false }, { tag: postsName, when: posts.when, hasDown: true }])

  await t.rejects(rollbackMigrations(options), { code: 'DB_MIGRATION_IRREVERSIBLE', message: /^20231114221321_posts\/down\.sql cannot restore the posts/ })
  t.strictSame(tags((await rollbackMigrations({ ...options, confirmIrreversible: true })).rolledBack), [postsName])
  await t.rejects(rollbackMigrations(options), { code: 'DB_MIGRATION_NO_DOWN', message: /^20231114221320_users\/down\.sql is not there, so 20231114221320_users cannot/ })
  t.strictSame(await tables(), ['users'])
})

t.test('check reports every difference, with the paths of the layout', async (t) => {
  const { client, tables, ...options } = await build(t, [])
  rewrite(options.folder, 'folders', [users, { ...posts, sql: 'vacuum' }])
  await runMigrations({ ...options, to: usersName })
  writeFolders(options.folder, [{ ...users, sql: 'edited', down: '' }])
  mkdirSync(join(options.folder, '20240101000000_lost'))
  mkdirSync(join(options.folder, 'seeds'))
  for (const name of ['0000_users.down.sql', `${usersName}/more.sql`, '20240101000000_lost/down.sql', 'seeds/fruit.sql', `${usersName}/notes.txt`]) writeFileSync(join(options.folder, name), '')

  const { problems } = await checkMigrations(options)
  t.match(problems, [
    { kind: 'edited', tag: usersName, message: /^20231114221320_users\/migration\.sql was edited/ },
    { kind: 'unfit', tag: postsName, message: /^20231114221321_posts\/migration\.sql, statement 1, VACUUM/ },
    { kind: 'pending', tag: postsName, message: /^20231114221321_posts\/migration\.sql is not applied yet/ },
    { kind: 'unlisted', tag: '0000_users', message: /^0000_users\.down\.sql is in the folder, but is neither the migration\.sql nor the down\.sql/ },
    { kind: 'unlisted', tag: usersName, message: /^20231114221320_users\/more\.sql / },
    { kind: 'unlisted', tag: '20240101000000_lost', message: /^20240101000000_lost\/down\.sql / }
  ])
  t.equal(problems.length, 6)
})

t.test('an unfinished file is named by its path, up and down', async (t) => {
  const { client, tables, ...options } = await build(t, [])
  const text = '-- data-access: no-transaction\n'
  const migration = { ...users, sql: `${text}create table users (id int); select 1 / 0`, down: `${text}drop table users; select 1 / 0` }
  rewrite(options.folder, 'folders', [migration])
  await t.rejects(runMigrations(options), { message: /^20231114221320_users\/migration\.sql stopped at statement 2/ })
  t.match((await checkMigrations(options)).problems[0], { kind: 'unfinished', message: /^20231114221320_users\/migration\.sql stopped after 1 .* apply again/ })
  writeFolders(options.folder, [{ ...migration, sql: `${text}create table users (id int); select 1` }])
  await runMigrations(options)
  await t.rejects(rollbackMigrations(options), { message: /^20231114221320_users\/down\.sql stopped at statement 2/ })
  t.match((await checkMigrations(options)).problems[0], { kind: 'unfinished', message: /^20231114221320_users\/down\.sql stopped after 1 .* roll back again/ })
})

if (!isDrizzle1) {
  t.test('a folder of drizzle-kit 1.0 is not continued by 0.31: a call changes nothing, and says both ways out', async (t) => {
    const { connectionString, folder } = await build(t, [])
    rewrite(folder, 'folders', [users])
    const refusal = { code: 'DB_MIGRATION_FAILED', message: /as 20231114221320_users, but Drizzle 0\.45 is installed.*: npm install drizzle-orm@\^1\.0\.0-rc\.5 .*, or .* data-access migrate upgrade --back --write$/ }
    await t.rejects(createMigration({ folder, message: 'more', autogenerate: false }), refusal)
    await t.rejects(writeDownFiles({ folder }), refusal)
    await t.rejects(checkMigrations({ connectionString, folder, schema: {} }), refusal)
  })
}

t.test('a name by drizzle-kit up has the time to the second and the words of the tag', async (t) => {
  const cases = [['0000_calm_hulk', 1_700_000_000_999, '20231114221320_calm_hulk'], ['20240101000000_x', 0, '19700101000000_x'], ['calm_hulk', 0, '19700101000000_hulk'], ['init', 0, '19700101000000_']] as const
  for (const [tag, when, name] of cases) t.strictSame(upgradedNames([{ tag, when }]), [name])
})

t.test('of several runners of a folder of drizzle-kit 1.0, one applies it, and test databases are made of it', async (t) => {
  const { client, tables, ...options } = await build(t, [])
  rewrite(options.folder, 'folders', [users, posts])
  const runs = await Promise.all([1, 2, 3].map(() => runMigrations(options)))
  t.strictSame(runs.map(({ applied }) => applied.length).sort(), [0, 0, 2])
  await t.resolves(createTestDatabase(t, { migrations: options.folder }))
})
