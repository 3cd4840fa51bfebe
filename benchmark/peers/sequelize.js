import { DataTypes, Sequelize } from 'sequelize'

const found = (row) => row ?? undefined

function defineAccount (sequelize) {
  return sequelize.define('Account', {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    name: { type: DataTypes.TEXT, allowNull: false },
    email: { type: DataTypes.TEXT, allowNull: false },
    balance: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
    isActive: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: true },
    settings: { type: DataTypes.JSONB, allowNull: false, defaultValue: {} },
    note: { type: DataTypes.TEXT }
  }, { tableName: 'accounts', underscored: true, timestamps: true })
}

/** Sequelize's managed transactions: https://sequelize.org/docs/v6/other-topics/transactions/ */
export async function open (fastify, { connectionString, poolSize, plainReads }) {
  const sequelize = new Sequelize(connectionString, { dialect: 'postgres', logging: false, pool: { min: poolSize, max: poolSize } })
  const Account = defineAccount(sequelize)
  fastify.addHook('onClose', () => sequelize.close())
  const transaction = (fn) => sequelize.transaction(fn)
  const reading = (fn) => plainReads ? fn(null) : transaction(fn)

  return {
    read: ({ id }) => reading(async (transaction) => found(await Account.findByPk(id, { transaction }))),
    list: ({ limit }) => reading((transaction) => Account.findAll({ order: [['createdAt', 'DESC'], ['id', 'DESC']], limit, transaction })),
    create: (values) => transaction((transaction) => Account.create(values, { transaction })),
    createMany: (rows) => transaction((transaction) => Account.bulkCreate(rows, { transaction, returning: true })),

    update: ({ id, note }) => transaction(async (transaction) => {
      const account = await Account.findByPk(id, { transaction })
      if (account === null) return undefined
      if (!account.isActive) return 'inactive'
      return account.update({ note }, { transaction })
    }),

    transfer: ({ from, to, amount }) => transaction(async (transaction) => {
      const locked = await Account.findAll({ where: { id: [from, to] }, order: ['id'], lock: true, transaction })
      const payer = locked.find(({ id }) => id === from)
      const payee = locked.find(({ id }) => id === to)
      if (payer === undefined || payee === undefined || payer.balance < amount) return undefined
      await payer.update({ balance: payer.balance - amount }, { transaction })
      await payee.update({ balance: payee.balance + amount }, { transaction })
      return { from: payer.balance, to: payee.balance }
    })
  }
}
