// The SQL of the hand-written peers.

const columns = 'id, name, email, balance, is_active as "isActive", settings, note, created_at as "createdAt", updated_at as "updatedAt"'

export const read = `select ${columns} from accounts where id = $1`
export const list = `select ${columns} from accounts order by created_at desc, id desc limit $1`
export const create = `insert into accounts (name, email, balance, is_active, settings, note) values ($1, $2, $3, $4, $5, $6) returning ${columns}`
export const update = `update accounts set note = $2, updated_at = now() where id = $1 returning ${columns}`
export const lock = 'select id, balance from accounts where id in ($1, $2) order by id for update'
export const setBalance = 'update accounts set balance = $2, updated_at = now() where id = $1'
// One statement for any number of rows.
export const createMany = `insert into accounts (name, email, balance, is_active, settings, note)
  select * from unnest($1::text[], $2::text[], $3::int[], $4::boolean[], $5::jsonb[], $6::text[]) returning ${columns}`

/** The parameters of {@link create}. */
export function valuesOf ({ name, email, balance = 0, isActive = true, settings = {}, note = null }) {
  return [name, email, balance, isActive, settings, note]
}

/** The parameters of {@link createMany}: an array for each column. */
export function columnsOf (rows) {
  const lists = [[], [], [], [], [], []]
  for (const row of rows) valuesOf(row).forEach((value, index) => lists[index].push(value))
  return lists
}

/** The new balances of both accounts. `undefined` if an account is missing or has too little. */
export function balancesAfter (rows, { from, to, amount }) {
  const payer = rows.find(({ id }) => id === from)
  const payee = rows.find(({ id }) => id === to)
  if (payer === undefined || payee === undefined || payer.balance < amount) return undefined
  return { from: payer.balance - amount, to: payee.balance + amount }
}
