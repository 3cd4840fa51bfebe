import type { Pool } from 'pg'

/**
 * Makes conflicts on demand: `collide(n)` makes the next `n` inserts into `users` fail with 40001, at once or at COMMIT. A
 * sequence counts them, because a rollback does not reset it.
 */
export async function conflicts ({ pool }: { readonly pool: Pool }, moment: 'statement' | 'commit' = 'statement') {
  const when = moment === 'commit' ? 'deferrable initially deferred' : ''
  await pool.query(`
    create sequence collisions;
    create table wanted_collisions (n int);
    insert into wanted_collisions values (0);
    create function collide () returns trigger language plpgsql as $$
    begin
      if nextval('collisions') <= (select n from wanted_collisions) then raise exception 'collided' using errcode = '40001'; end if;
      return null;
    end $$;
    create constraint trigger collide after insert on users ${when} for each row execute function collide();
  `)
  return {
    collide: async (n: number) => {
      await pool.query('update wanted_collisions set n = $1', [n])
      await pool.query("select setval('collisions', 1, false)")
    }
  }
}
