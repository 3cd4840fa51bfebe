import { eq, sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { openDatabase } from '../../../../src/database/open-database.js'
import { NotFoundError, NotStoredError, PolicyViolationError, UniqueViolationError } from '../../../../src/errors/errors.js'
import { softDelete, version } from '../../../../src/model/columns.js'
import { createTestDatabase, expectNoLeaks } from '../../../../src/testing/index.js'

const columns = { id: integer().primaryKey(), name: text().notNull(), ...softDelete(), ...version() }
const tableSql = (name: string): string =>
  `create table ${name} (id integer primary key, name text not null, "deletedAt" timestamptz(3), version integer not null default 1);`

const things = pgTable('things', columns)
/** A view with the names of {@link things}. */
const seen = pgTable('seen', columns)
const guarded = pgTable('guarded', columns)
const computed = pgTable('computed', { id: integer().primaryKey(), name: text().notNull(), loud: text().generatedAlwaysAs(sql`upper(name)`) })
/** Large enough for several statements. */
const crowd = Array.from({ length: 2500 }, (_, place) => ({ id: place + 10, name: place === 1700 ? 'drop' : 'kept' }))

const { connectionString } = await createTestDatabase(t, {
  sql: `${tableSql('things')} ${tableSql('guarded')}
    create table computed (id integer primary key, name text not null, loud text generated always as (upper(name)) stored);
    create view seen as select * from things;
    create function drop_row() returns trigger language plpgsql as $$ begin return null; end $$;
    create function drop_named() returns trigger language plpgsql as $$ begin return case when new.name = 'drop' then null else new end; end $$;
    create sequence calls;
    create function drop_first() returns trigger language plpgsql as $$ begin
      if nextval('calls') <= tg_argv[0]::int then return null; end if;
      return new; end $$;
    create function other_key() returns trigger language plpgsql as $$ begin new.id := new.id + 1000; return new; end $$;
    create function delete_again() returns trigger language plpgsql as $$ begin delete from things where id = new.id; return null; end $$;
    create function instead() returns trigger language plpgsql as $$ begin
      if tg_op = 'DELETE' then delete from things where id = old.id; return old; end if;
      if new.name = 'drop' then return null; end if;
      if tg_op = 'INSERT' then insert into things values (new.id, new.name, new."deletedAt", coalesce(new.version, 1)); new.version := coalesce(new.version, 1); return new; end if;
      update things set name = new.name, "deletedAt" = new."deletedAt", version = new.version where id = old.id; return new; end $$;
    create trigger instead instead of insert or update or delete on seen for each row execute function instead();
    do $$ begin create role visitor; exception when duplicate_object or unique_violation then null; end $$;
    grant all on guarded to visitor; alter table guarded enable row level security;
    create policy reading on guarded for select using (name <> 'hidden');
    create policy adding on guarded for insert with check (name <> 'refused');
    create policy changing on guarded for update using (name <> 'fixed') with check (name <> 'refused');
    create policy removing on guarded for delete using (name <> 'fixed');`
})
const database = await openDatabase({ connectionString })
t.teardown(() => database.close())
const visitors = await openDatabase({
  connectionString: `${connectionString}${connectionString.includes('?') ? '&' : '?'}options=${encodeURIComponent('-c role=visitor')}`
})
t.teardown(() => visitors.close())
t.afterEach(async () => {
  await expectNoLeaks(database)
  await expectNoLeaks(visitors)
})

/** Adds triggers, rules or policies to the table for one test. */
async function under<Result> (statements: string, undo: string, fn: () => Promise<Result>): Promise<Result> {
  await database.execute(sql.raw(statements))
  try {
    return await fn()
  } finally {
    await database.execute(sql.raw(undo))
  }
}

const before = (event: string, fn = 'drop_row'): [string, string] =>
  [`create trigger prevent before ${event} on things for each row execute function ${fn}()`, 'drop trigger prevent on things']

t.beforeEach(() => database.execute(sql`truncate things, guarded, computed`))

const repo = database.repo(things)
const notStored = { code: 'DB_NOT_STORED', statusCode: 500, retryable: false }

/** Calls each method that creates rows with a row that is dropped. Methods for many rows get it in the middle. */
const makers: Record<string, (repository: typeof repo) => Promise<unknown>> = {
  create: (repository) => repository.create({ id: 1, name: 'drop' }),
  createMany: (repository) => repository.createMany([{ id: 1, name: 'a' }, { id: 2, name: 'drop' }, { id: 3, name: 'b' }]),
  'createMany of one': (repository) => repository.createMany([{ id: 1, name: 'drop' }]),
  'createMany of many': (repository) => repository.createMany(crowd),
  'createMany without rows': (repository) => repository.createMany([{ id: 1, name: 'a' }, { id: 2, name: 'drop' }, { id: 3, name: 'b' }], { returning: false }),
  'createMany without rows, of one': (repository) => repository.createMany([{ id: 1, name: 'drop' }], { returning: false }),
  'createMany without rows, of many': (repository) => repository.createMany(crowd, { returning: false }),
  'createMany of rows that differ': (repository) => repository.createMany([
    { id: 1, name: 'a' },
    { id: 2, name: 'drop', deletedAt: undefined },
    { id: 3, name: 'b', deletedAt: null }
  ]),
  upsert: (repository) => repository.upsert({ id: 1, name: 'drop' }),
  'upsert that changes nothing': (repository) => repository.upsert({ id: 1, name: 'drop' }, { update: [] }),
  upsertMany: (repository) => repository.upsertMany([{ id: 1, name: 'a' }, { id: 2, name: 'drop' }, { id: 3, name: 'b' }]),
  'upsertMany of many': (repository) => repository.upsertMany(crowd),
  getOrCreate: (repository) => repository.getOrCreate({ id: 1, name: 'drop' })
}

t.test('106: a new row that a trigger drops is NotStoredError everywhere, and the call is undone', async (t) => {
  await under(...before('insert', 'drop_named'), async () => {
    for (const [name, make] of Object.entries(makers)) {
      await t.rejects(make(repo), { ...notStored, context: { operation: name.split(' ')[0] as string, table: 'things' } }, name)
      t.equal(await repo.count(), 0, `${name}: nothing is kept`)

      await t.rejects(database.session((session) => make(session.repo(things))), NotStoredError, `${name}, in a session`)
      t.equal(await repo.count(), 0, `${name}, in a session: nothing is kept`)

      await database.session(async (session) => {
        await session.repo(things).create({ id: 8, name: 'before' })
        await t.rejects(make(session.repo(things)), NotStoredError, `${name}, caught`)
        await session.repo(things).create({ id: 9, name: 'behind' })
      })
      t.strictSame((await repo.getAll()).map(({ id }) => id), [8, 9], `${name}, caught: the transaction goes on without it`)
      await repo.deleteMany({}, { all: true })
    }
  })
})

t.test('106: a rule that replaces an INSERT by nothing is NotStoredError from every method', async (t) => {
  await under('create rule prevent as on insert to things do instead nothing', 'drop rule prevent on things', async () => {
    for (const [name, make] of Object.entries(makers)) await t.rejects(make(repo), notStored, name)
  })
})

/** Calls each method that changes row 1 because a new row conflicts with it. */
const changers: Record<string, (repository: typeof repo) => Promise<unknown>> = {
  upsert: (repository) => repository.upsert({ id: 1, name: 'new' }),
  upsertMany: (repository) => repository.upsertMany([{ id: 5, name: 'a' }, { id: 1, name: 'new' }]),
  'upsertMany of many': (repository) => repository.upsertMany([...crowd, { id: 1, name: 'new' }])
}

t.test('106: an existing row that a trigger keeps unchanged is NotStoredError', async (t) => {
  await under(...before('update'), async () => {
    for (const [name, change] of Object.entries(changers)) {
      await database.execute(sql`truncate things`)
      await repo.create({ id: 1, name: 'old' })
      await t.rejects(change(repo), { ...notStored, context: { table: 'things' } }, name)
      await database.session(async (session) => {
        await t.rejects(change(session.repo(things)), NotStoredError, `${name}, caught`)
        await session.repo(things).create({ id: 9, name: 'behind' })
      })
      t.strictSame((await repo.getAll()).map(({ id, name }) => [id, name]), [[1, 'old'], [9, 'behind']], `${name}: other writes are kept`)
    }
  })
})

t.test('an update or delete that a trigger stops returns no row and changes nothing', async (t) => {
  await repo.create({ id: 1, name: 'old' })
  await under(...before('update'), async () => {
    t.equal(await repo.update(1, { name: 'new' }), undefined)
    t.equal(await repo.softDelete(1), undefined)
    await t.rejects(repo.updateOrThrow(1, { name: 'new' }), NotFoundError)
  })
  await under(...before('delete'), async () => {
    t.equal(await repo.delete(1), false)
    await t.rejects(repo.deleteOrThrow(1), NotFoundError)
  })
  t.match(await repo.get(1), { name: 'old', version: 1 })
})

t.test('a row that a trigger drops only for a while is written and reported as usual', async (t) => {
  const first = (count: number): [string, string] =>
    [
      `alter sequence calls restart; create trigger prevent before insert on things for each row execute function drop_first(${count})`,
      'drop trigger prevent on things'
    ]

  await under(...first(5), async () => t.match(await repo.upsert({ id: 1, name: 'a' }), { created: true, row: { id: 1, name: 'a' } }))
  await under(...first(2), async () => t.match(await repo.upsert({ id: 2, name: 'b' }), { created: true, row: { id: 2 } }))
})

t.test('updateMany and deleteMany count the written rows', async (t) => {
  await repo.createMany([{ id: 1, name: 'a' }, { id: 2, name: 'b' }])
  await under(...before('update', 'drop_named'), async () => {
    t.equal(await repo.updateMany({}, { name: 'drop' }, { all: true }), 0)
    t.equal(await repo.updateMany({ id: 1 }, { name: 'c' }), 1)
  })
  await under(...before('delete'), async () => t.equal(await repo.deleteMany({}, { all: true }), 0))
})

t.test('a trigger that changes the key returns rows with the new key', async (t) => {
  await under(...before('insert', 'other_key'), async () => {
    t.match(await repo.create({ id: 1, name: 'a' }), { id: 1001 })
    t.match(await repo.createMany([{ id: 2, name: 'b' }, { id: 3, name: 'c' }]), [{ id: 1002 }, { id: 1003 }])
    t.match(await repo.upsert({ id: 4, name: 'd' }), { created: true, row: { id: 1004 } })
    t.match(await repo.upsertMany([{ id: 4, name: 'e' }, { id: 5, name: 'f' }]), [
      { created: false, row: { id: 1004, name: 'e' } },
      { created: true, row: { id: 1005 } }
    ])
    t.match(await repo.getOrCreate({ id: 6 }, { name: 'g' }), { created: true, row: { id: 1006 } })
    await t.rejects(repo.getOrCreate({ id: 6 }, { name: 'h' }), UniqueViolationError, 'the search finds another row')
  })
})

t.test('a row deleted by an AFTER trigger is returned as it was stored', async (t) => {
  await under('create trigger prevent after insert on things for each row execute function delete_again()', 'drop trigger prevent on things', async () => {
    t.match(await repo.create({ id: 1, name: 'a' }), { id: 1, name: 'a' })
    t.match(await repo.createMany([{ id: 1, name: 'a' }, { id: 2, name: 'b' }]), [{ id: 1 }, { id: 2 }])
    t.match(await repo.upsert({ id: 1, name: 'a' }), { created: true })
    t.equal(await repo.count(), 0)
  })
})

t.test('every row comes back with its generated column', async (t) => {
  const loud = database.repo(computed)
  t.match(await loud.create({ id: 1, name: 'a' }), { loud: 'A' })
  t.match(await loud.createMany([{ id: 2, name: 'b' }]), [{ loud: 'B' }])
  t.match(await loud.upsert({ id: 1, name: 'c' }), { row: { loud: 'C' }, created: false })
  t.match(await loud.update(1, { name: 'd' }), { loud: 'D' })
})

t.test('106: a view that stores nothing is NotStoredError, one that stores returns the row', async (t) => {
  const view = database.repo(seen)
  t.match(await view.create({ id: 1, name: 'a' }), { id: 1, name: 'a' })
  t.match(await view.createMany([{ id: 2, name: 'b' }, { id: 3, name: 'c' }]), [{ id: 2 }, { id: 3 }])
  t.match(await view.update(1, { name: 'z' }), { name: 'z' })
  await t.rejects(view.create({ id: 4, name: 'drop' }), notStored)
  await t.rejects(view.createMany([{ id: 4, name: 'd' }, { id: 5, name: 'drop' }]), notStored)
  t.equal(await view.delete(1), true)
  t.strictSame((await repo.getAll()).map(({ id }) => id), [2, 3])
})

const refusals: Record<string, (name: string) => Promise<unknown>> = {
  create: (name) => visitors.repo(guarded).create({ id: 9, name }),
  createMany: (name) => visitors.repo(guarded).createMany([{ id: 8, name: 'a' }, { id: 9, name }]),
  upsert: (name) => visitors.repo(guarded).upsert({ id: 9, name }),
  upsertMany: (name) => visitors.repo(guarded).upsertMany([{ id: 8, name: 'a' }, { id: 9, name }]),
  getOrCreate: (name) => visitors.repo(guarded).getOrCreate({ id: 9 }, { name }),
  update: (name) => visitors.repo(guarded).update(1, { name }),
  updateMany: (name) => visitors.repo(guarded).updateMany({ id: 1 }, { name }),
  'upsert that changes': (name) => visitors.repo(guarded).upsert({ id: 1, name }),
  'createMany of many': (name) => visitors.repo(guarded).createMany(crowdWith(name)),
  'upsertMany of many': (name) => visitors.repo(guarded).upsertMany(crowdWith(name)),
  'INSERT of Drizzle': (name) => visitors.drizzle.insert(guarded).values({ id: 9, name }).returning(),
  'UPDATE of Drizzle': (name) => visitors.drizzle.update(guarded).set({ name }).where(eq(guarded.id, 1)).returning(),
  'INSERT of raw SQL': (name) => visitors.execute(sql`insert into guarded (id, name) values (9, ${name}) returning id`),
  'UPDATE of raw SQL in a transaction': (name) => visitors.transaction((scope) => scope.execute(sql`update guarded set name = ${name} returning id`)),
  'MERGE of raw SQL': (name) => visitors.execute(sql`merge into guarded using (values (9)) as given (id) on guarded.id = given.id
    when not matched then insert (id, name) values (given.id, ${name})`)
}
const crowdWith = (last: string) => crowd.map(({ id }, place) => ({ id, name: place === crowd.length - 1 ? last : 'kept' }))

t.test('106: a row that a policy refuses, or would hide, is PolicyViolationError', async (t) => {
  await database.repo(guarded).create({ id: 1, name: 'old' })
  for (const [name, write] of Object.entries(refusals)) {
    await t.rejects(write('refused'), { code: 'DB_POLICY_VIOLATION', statusCode: 403, retryable: false, context: { sqlState: '42501' } }, name)
    if (!['updateMany', 'MERGE of raw SQL'].includes(name)) await t.rejects(write('hidden'), PolicyViolationError, `${name}, hidden`)
    t.equal(await database.repo(guarded).count(), 1, `${name}: nothing is kept`)
  }
})

t.test('106: a conflict with a row that a policy hides is an error that is not retryable', async (t) => {
  await database.repo(guarded).create({ id: 1, name: 'hidden' })
  const rows = visitors.repo(guarded)
  await t.rejects(rows.create({ id: 1, name: 'a' }), UniqueViolationError)
  await t.rejects(rows.getOrCreate({ id: 1 }, { name: 'a' }), { code: 'DB_UNIQUE_VIOLATION', retryable: false, message: /a policy hides it/ })
  await t.rejects(rows.upsert({ id: 1, name: 'a' }, { update: [] }), { code: 'DB_UNIQUE_VIOLATION', message: /a policy hides it/ })
  const hidden = { code: 'DB_POLICY_VIOLATION', retryable: false, message: /refuses the row, or hides an existing row with the same unique value$/ }
  await t.rejects(rows.upsert({ id: 1, name: 'a' }), hidden)
  await t.rejects(rows.upsertMany([{ id: 5, name: 'a' }, { id: 1, name: 'b' }]), { ...hidden, message: /^rows\[1\]: A policy .* hides an existing row/, context: { row: 1 } })
  await t.rejects(rows.upsertMany([...crowd, { id: 1, name: 'a' }]), hidden)
  await t.rejects(rows.upsertMany([{ id: 5, name: 'a' }, { id: 1, name: 'b' }], { update: [] }), { code: 'DB_UNIQUE_VIOLATION', retryable: false, message: /a policy hides it/ })
  t.equal(await database.repo(guarded).count(), 1, 'nothing is kept')
  await visitors.session(async (session) => {
    await t.rejects(session.repo(guarded).getOrCreate({ id: 1 }, { name: 'a' }), UniqueViolationError)
    await session.repo(guarded).create({ id: 2, name: 'behind' })
  })
  t.match(await rows.get(2), { name: 'behind' })
})

t.test('a missing privilege is not a policy violation', async (t) => {
  await t.rejects(visitors.repo(things).create({ id: 1, name: 'a' }), { code: 'DB_ERROR', statusCode: 500, context: { sqlState: '42501' } })
})
