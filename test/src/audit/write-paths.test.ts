import { eq, sql } from 'drizzle-orm'
import { integer, text, timestamp } from 'drizzle-orm/pg-core'
import pg from 'pg'
import t from 'tap'
import { audit, increment, Repository, softDelete, timestamps, version } from '../../../src/index.js'
import { snakeCaseTable } from '../../helpers/drizzle.js'
import { openAudited, replay, run } from './audited.js'

const owners = snakeCaseTable('owners', { id: integer().primaryKey(), name: text() })
const ownersHistory = audit(owners)
const accounts = snakeCaseTable('accounts', {
  id: integer().primaryKey(),
  ownerId: integer().references(() => owners.id, { onDelete: 'cascade', onUpdate: 'cascade' }),
  guardId: integer().references(() => owners.id, { onDelete: 'set null' }),
  label: text().unique(),
  visits: integer().notNull().default(0),
  secretKey: text(),
  seenAt: timestamp({ withTimezone: true }),
  ...timestamps(),
  ...softDelete(),
  ...version()
})
const accountsHistory = audit(accounts, { mask: ['secretKey'], ignore: ['seenAt'] })
const columns = ['id', 'owner_id', 'guard_id', 'label', 'visits', 'version', 'seen_at']

class Accounts extends Repository.of(accounts) {
  protected override async beforeUpdate (values: { label?: unknown }) {
    return { ...values, label: 'by a hook' }
  }
}

const { database, connectionString } = await openAudited(t, { owners, ownersHistory, accounts, accountsHistory })
const client = new pg.Client({ connectionString })
await client.connect()
t.teardown(() => client.end())
await run(database, `
  create view live_accounts as select * from accounts where deleted_at is null;
  create table visitors (account_id integer, name text);
  create function count_visit() returns trigger language plpgsql as $$ begin
    update accounts set visits = visits + 1 where id = new.account_id;
    return new;
  end $$;
  create trigger visits after insert on visitors for each row execute function count_visit();
  create function stamp() returns trigger language plpgsql as $$ begin
    if new.label = 'stamped before' then new.visits := 100; end if;
    return new;
  end $$;
  create trigger a_stamp before insert or update on accounts for each row execute function stamp();
  create function stamp_after() returns trigger language plpgsql as $$ begin
    if new.label = 'stamped after' then update accounts set label = 'stamped', visits = 200 where id = new.id; end if;
    return null;
  end $$;
  create trigger a_first after insert or update on accounts for each row execute function stamp_after();
`)

const repo = database.repo(accounts)
type Path = readonly [name: string, write: () => Promise<unknown>, entries: string]

/** Each write, and the operations and keys of its entries. A write relies on the rows of those before it. */
const paths: readonly Path[] = [
  ['create', () => repo.create({ id: 1, label: 'one', secretKey: 'hunter1' }), 'insert 1'],
  ['createMany', () => repo.createMany([{ id: 2, label: 'two' }, { id: 3 }, { id: 4 }]), 'insert 2, insert 3, insert 4'],
  ['createMany of many', () => repo.createMany(Array.from({ length: 3000 }, (_, place) => ({ id: 1001 + place }))), '3000 insert'],
  ['createMany without rows', () => repo.createMany(Array.from({ length: 1000 }, (_, place) => ({ id: 4001 + place })), { returning: false }), '1000 insert'],
  ['update', () => repo.update(1, { label: 'first' }), 'update 1'],
  ['updateOrThrow', () => repo.updateOrThrow(1, { label: 'one', secretKey: 'hunter2' }), 'update 1'],
  ['updateMany', () => repo.updateMany({ id: { in: [2, 3] } }, { visits: 5 }), 'update 2, update 3'],
  ['increment', () => repo.update(2, { visits: increment(2) }), 'update 2'],
  ['a hook', () => database.repo(Accounts).update(2, { visits: 1 }), 'update 2'],
  ['softDelete', () => repo.softDelete(3), 'update 3'],
  ['restore', () => repo.restore(3), 'update 3'],
  ['softDelete before a purge', () => repo.softDelete(3), 'update 3'],
  ['purge', () => repo.purge({ olderThan: 0 }), 'delete 3'],
  ['delete', () => repo.delete(4), 'delete 4'],
  ['deleteMany', () => repo.deleteMany({ id: { gt: 1000 } }), '4000 delete'],
  ['upsert of a new row', () => repo.upsert({ id: 5, label: 'five' }), 'insert 5'],
  ['upsert of a row that exists', () => repo.upsert({ id: 5, label: 'fifth' }), 'update 5'],
  ['upsertMany', () => repo.upsertMany([{ id: 5, label: 'five' }, { id: 6, label: 'six' }]), 'insert 6, update 5'],
  ['getOrCreate', () => repo.getOrCreate({ id: 7 }, { label: 'seven' }), 'insert 7'],
  ['getOrCreate of a row that exists', () => repo.getOrCreate({ id: 7 }, { label: 'eight' }), ''],
  ['an update of nothing', () => run(database, 'update accounts set label = label'), ''],
  ['an update of ignored columns only', () => run(database, 'update accounts set seen_at = null where id = 1'), ''],
  ['Drizzle insert', () => database.drizzle.insert(accounts).values({ id: 8 }), 'insert 8'],
  ['Drizzle update', () => database.drizzle.update(accounts).set({ label: 'eight' }).where(eq(accounts.id, 8)), 'update 8'],
  ['Drizzle on conflict', () => database.drizzle.insert(accounts).values({ id: 8 }).onConflictDoUpdate({ target: accounts.id, set: { label: 'VIII' } }), 'update 8'],
  ['Drizzle on conflict do nothing', () => database.drizzle.insert(accounts).values({ id: 8 }).onConflictDoNothing(), ''],
  ['Drizzle delete', () => database.drizzle.delete(accounts).where(eq(accounts.id, 8)), 'delete 8'],
  ['Drizzle in a transaction', () => database.drizzle.transaction(async (tx) => { await tx.insert(accounts).values({ id: 9 }) }), 'insert 9'],
  ['a transaction that is rolled back', () => database.session(async (session) => {
    await session.repo(accounts).create({ id: 10 })
    session.rollbackOnly()
  }), ''],
  ['INSERT', () => run(database, "insert into accounts (id, label) values (10, 'ten'), (11, null)"), 'insert 10, insert 11'],
  ['INSERT … SELECT', () => run(database, 'insert into accounts (id) select id + 100 from accounts where id in (10, 11)'), 'insert 110, insert 111'],
  ['UPDATE … FROM', () => run(database, 'update accounts a set visits = b.visits + 1 from accounts b where a.id = 111 and b.id = 110'), 'update 111'],
  ['UPDATE', () => run(database, "update accounts set label = 'x' || id where id > 100"), 'update 110, update 111'],
  ['DELETE … USING', () => run(database, 'delete from accounts a using accounts b where a.id = b.id + 100'), 'delete 110, delete 111'],
  ['ON CONFLICT', () => run(database, "insert into accounts (id) values (11), (12) on conflict (id) do update set label = 'again'"), 'insert 12, update 11'],
  ['MERGE', () => run(database, `merge into accounts a using (values (11), (12), (13)) v (id) on a.id = v.id
    when matched and a.id = 11 then delete when matched then update set label = 'merged' when not matched then insert (id) values (v.id)`), 'delete 11, insert 13, update 12'],
  ['writes in a WITH', () => run(database, 'with gone as (delete from accounts where id = 13 returning id) insert into accounts (id) select id + 1 from gone'), 'delete 13, insert 14'],
  ['COPY', () => copy('copy accounts (id, label) from stdin', '20\ttwenty\n21\t\\N\n'), 'insert 20, insert 21'],
  ['a view', () => run(database, "update live_accounts set label = 'viewed' where id = 20; delete from live_accounts where id = 21"), 'delete 21, update 20'],
  ['a change of the key', () => run(database, 'update accounts set id = 22 where id = 20'), 'delete 20, insert 22'],
  ['a trigger of another table', () => run(database, 'insert into visitors values (22), (22)'), 'update 22, update 22'],
  ['a trigger before the write', () => run(database, "update accounts set label = 'stamped before' where id = 22"), 'update 22'],
  ['a trigger behind the write', () => run(database, "insert into accounts (id, label) values (23, 'stamped after')"), 'insert 23, update 23'],
  ['what cascades refer to', () => run(database, `insert into owners (id) values (1), (2);
    update accounts set owner_id = 1, guard_id = 2 where id in (22, 23)`), 'update 22, update 23'],
  ['ON UPDATE CASCADE', () => run(database, 'update owners set id = 3 where id = 1'), 'update 22, update 23'],
  ['ON DELETE SET NULL', () => run(database, 'delete from owners where id = 2'), 'update 22, update 23'],
  ['ON DELETE CASCADE', () => run(database, 'delete from owners where id = 3'), 'delete 22, delete 23'],
  ['PREPARE and EXECUTE', () => run(database, 'prepare p as delete from accounts where id = $1; execute p(14); deallocate p'), 'delete 14'],
  ['a function', () => run(database, "do $$ begin update accounts set label = 'done' where id = 12; end $$"), 'update 12'],
  ['TRUNCATE … CASCADE', () => run(database, 'truncate owners cascade'), 'truncate 1, truncate 10, truncate 12, truncate 2, truncate 5, truncate 6, truncate 7, truncate 9'],
  ['an update of only a masked column', () => run(database, "insert into accounts (id) values (1); update accounts set secret_key = 'hunter3'"), 'insert 1, update 1']
]

/** pg's own query refuses COPY FROM STDIN; this one sends the lines. */
class Copy extends pg.Query {
  lines = ''
  handleCopyInResponse (connection: { sendCopyFromChunk (chunk: Buffer): void, endCopyFrom (): void }): void {
    connection.sendCopyFromChunk(Buffer.from(this.lines))
    connection.endCopyFrom()
  }
}

function copy (text: string, lines: string): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    client.query(Object.assign(new Copy(text, (error: Error | null) => error === null ? resolve() : reject(error)), { lines }))
  })
}

for (const [name, write, expected] of paths) {
  t.test(`the history tells what is left after ${name}`, async (t) => {
    const { rows: [last] } = await database.execute<{ id: number }>(sql`select coalesce(max(id), 0) as id from accounts_history`)
    await write()
    const { rows } = await database.execute<{ entry: string, operation: string }>(sql`
      select operation || ' ' || (key->>'id') as entry, operation from accounts_history where id > ${last?.id} order by id`)
    const entries = rows.length < 1000 ? rows.map(({ entry }) => entry).sort().join(', ') : `${rows.length} ${rows[0]?.operation}`
    t.equal(entries, expected)
    t.strictSame(await replay(database, { table: 'accounts', history: 'accounts_history', columns }), [])
    t.strictSame(await replay(database, { table: 'owners', history: 'owners_history', columns: ['id', 'name'] }), [])
  })
}

t.test('the values of a masked column are nowhere in the history', async (t) => {
  const { rows } = await database.execute(sql`select from accounts_history h where h::text like '%hunter%'`)
  t.strictSame(rows, [])
  const { rows: told } = await database.execute<{ changed: string[] }>(sql`select changed from accounts_history where changed ? 'secret_key'`)
  t.strictSame(told.map(({ changed }) => changed), [['label', 'secret_key', 'updated_at', 'version'], ['secret_key']])
})
