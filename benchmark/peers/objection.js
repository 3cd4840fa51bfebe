import knex from 'knex'
import { knexSnakeCaseMappers, Model } from 'objection'

class Account extends Model {
  static tableName = 'accounts'
  static jsonAttributes = ['settings']

  $beforeUpdate () {
    this.updatedAt = new Date()
  }
}

/** Objection over Knex, with `Model.transaction`: https://vincit.github.io/objection.js/guide/transactions.html */
export async function open (fastify, { connectionString, poolSize, plainReads }) {
  const connection = knex({ client: 'pg', connection: connectionString, pool: { min: poolSize, max: poolSize }, ...knexSnakeCaseMappers() })
  Account.knex(connection)
  fastify.addHook('onClose', () => connection.destroy())
  const transaction = (fn) => Account.transaction(fn)
  const reading = (fn) => plainReads ? fn(connection) : transaction(fn)

  return {
    read: ({ id }) => reading((trx) => Account.query(trx).findById(id)),
    list: ({ limit }) => reading((trx) => Account.query(trx).orderBy([{ column: 'createdAt', order: 'desc' }, { column: 'id', order: 'desc' }]).limit(limit)),
    // `returning` instead of `…AndFetch`, which would send another query: https://vincit.github.io/objection.js/recipes/returning-tricks.html
    create: (values) => transaction((trx) => Account.query(trx).insert(values).returning('*')),
    createMany: (rows) => transaction((trx) => Account.query(trx).insert(rows).returning('*')),

    update: ({ id, note }) => transaction(async (trx) => {
      const account = await Account.query(trx).findById(id)
      if (account === undefined) return undefined
      if (!account.isActive) return 'inactive'
      return account.$query(trx).patch({ note }).returning('*')
    }),

    transfer: ({ from, to, amount }) => transaction(async (trx) => {
      const locked = await Account.query(trx).findByIds([from, to]).orderBy('id').forUpdate()
      const payer = locked.find(({ id }) => id === from)
      const payee = locked.find(({ id }) => id === to)
      if (payer === undefined || payee === undefined || payer.balance < amount) return undefined
      await payer.$query(trx).patch({ balance: payer.balance - amount })
      await payee.$query(trx).patch({ balance: payee.balance + amount })
      return { from: payer.balance, to: payee.balance }
    })
  }
}
