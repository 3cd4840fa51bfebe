import * as statements from './pg-statements.js'
import { bind, FloorPool } from './floor-client.js'

const { balancesAfter, valuesOf } = statements
const columns = statements.create.slice(statements.create.indexOf('returning'))
const texts = {
  begin: 'begin',
  commit: 'commit',
  read: statements.read,
  list: statements.list,
  create: statements.create,
  update: statements.update,
  lock: statements.lock,
  setBalance: statements.setBalance,
  createMany: `insert into accounts (name, email, balance, is_active, settings, note)
    select * from jsonb_to_recordset($1::jsonb) as given (name text, email text, balance int, "isActive" boolean, settings jsonb, note text) ${columns}`
}
const begin = bind('begin')
const commit = bind('commit')

/**
 * What no library can be faster than by much: Fastify, and the protocol by hand over `node:net`, for these statements only. It handles no error but the first,
 * loses what is under way when a connection breaks, and reads rows by code for this table. With `commitsApart` COMMIT waits for the last answer.
 */
export async function open (fastify, { connectionString, poolSize, commitsApart = false }) {
  const pool = await FloorPool.open({ connectionString, size: poolSize, statements: texts })
  fastify.addHook('onClose', async () => pool.end())
  const alone = (messages) => pool.use((connection) => connection.send(messages, readAccount))
  /** Sends the last statements of a transaction, and COMMIT. */
  const sendLast = async (connection, messages) => {
    if (!commitsApart) return connection.send([...messages, commit], readAccount)
    const rows = await connection.send(messages, readAccount)
    await connection.send([commit])
    return rows
  }
  const write = (messages) => pool.use((connection) => sendLast(connection, [begin, ...messages]))

  return {
    read: async ({ id }) => (await alone([bind('read', [id])]))[0],
    list: ({ limit }) => alone([bind('list', [limit])]),
    create: async (values) => (await write([bind('create', textsOf(values))]))[0],
    createMany: (rows) => write([bind('createMany', [JSON.stringify(rows.map(completed))])]),

    update: ({ id, note }) => pool.use(async (connection) => {
      const [account] = await connection.send([begin, bind('read', [id])], readAccount)
      if (account === undefined || !account.isActive) {
        await connection.send([commit])
        return account === undefined ? undefined : 'inactive'
      }
      return (await sendLast(connection, [bind('update', [id, note])]))[0]
    }),

    transfer: (transfer) => pool.use(async (connection) => {
      const { from, to } = transfer
      const balances = balancesAfter(await connection.send([begin, bind('lock', [from, to])], readBalance), transfer)
      const updates = balances === undefined ? [] : [bind('setBalance', [from, balances.from]), bind('setBalance', [to, balances.to])]
      await sendLast(connection, updates)
      return balances
    })
  }
}

function textsOf (values) {
  return valuesOf(values).map((value) => value !== null && typeof value === 'object' ? JSON.stringify(value) : value)
}

function completed (values) {
  const [name, email, balance, isActive, settings, note] = valuesOf(values)
  return { name, email, balance, isActive, settings, note }
}

/** Reads the columns of a row, one after the other. */
class Row {
  constructor (buffer, at) {
    this.buffer = buffer
    this.at = at
  }

  text () {
    const length = this.buffer.readInt32BE(this.at)
    const start = this.at + 4
    if (length < 0) {
      this.at = start
      return null
    }
    this.at = start + length
    return this.buffer.utf8Slice(start, this.at)
  }

  number () { return Number(this.text()) }

  /** PostgreSQL leaves out zeros at the end of a second. */
  time () {
    const text = this.text().slice(0, -3)
    return `${text.slice(0, 10)}T${text.length === 19 ? `${text.slice(11)}.000` : text.slice(11).padEnd(12, '0')}Z`
  }
}

function readAccount (buffer, at) {
  const row = new Row(buffer, at)
  return {
    id: row.number(),
    name: row.text(),
    email: row.text(),
    balance: row.number(),
    isActive: row.text() === 't',
    settings: JSON.parse(row.text()),
    note: row.text(),
    createdAt: row.time(),
    updatedAt: row.time()
  }
}

function readBalance (buffer, at) {
  const row = new Row(buffer, at)
  return { id: row.number(), balance: row.number() }
}
