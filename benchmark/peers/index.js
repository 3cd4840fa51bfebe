/**
 * The peers, in the order of the tables. Each peer is one file of this folder, written as its own documentation shows. It exports
 * `open(fastify, options)`, which resolves with the six operations below.
 *
 * @typedef {{ id: number, name: string, email: string, balance: number, isActive: boolean, settings: object, note: string | null, createdAt: Date, updatedAt: Date }} Account
 * @typedef {{ from: number, to: number, amount: number }} Transfer
 *
 * @typedef {object} Accounts
 * @property {(input: { id: number }, request: import('fastify').FastifyRequest) => Promise<Account | undefined>} read
 * @property {(input: { limit: number }, request: import('fastify').FastifyRequest) => Promise<Account[]>} list newest first
 * @property {(input: Partial<Account>, request: import('fastify').FastifyRequest) => Promise<Account>} create
 * @property {(input: { id: number, note: string }, request: import('fastify').FastifyRequest) => Promise<Account | undefined | 'inactive'>} update loads the row, refuses one that is not active, writes its note
 * @property {(input: Transfer, request: import('fastify').FastifyRequest) => Promise<{ from: number, to: number } | undefined>} transfer locks both rows, and answers with the new balances; `undefined` when there is too little
 * @property {(input: Partial<Account>[], request: import('fastify').FastifyRequest) => Promise<Account[]>} createMany in the order of the input
 *
 * @typedef {object} PeerOptions
 * @property {string} connectionString
 * @property {number} poolSize connections, opened as needed and then kept
 * @property {boolean} plainReads whether `read` and `list` run without a transaction, for peers with a choice
 *
 * @typedef {{ name: string, title: string, package?: string }} Peer `package` is the package whose version the results show
 */

/** @type {readonly Peer[]} */
export const peers = [
  { name: 'pg', title: 'pg, no transaction', package: 'pg' },
  { name: 'pg-transaction', title: 'pg, BEGIN … COMMIT', package: 'pg' },
  { name: 'pg-transaction-again', title: 'the same once more', package: 'pg' },
  { name: 'pg-pipeline', title: 'pg, pipelined and prepared', package: 'pg' },
  { name: 'floor', title: 'floor: the protocol by hand' },
  { name: 'floor-commit', title: 'floor, COMMIT by itself' },
  { name: 'ours', title: 'fastify-data-access', package: 'fastify-data-access' },
  { name: 'ours-first-query', title: "fastify-data-access, begin: 'firstQuery'", package: 'fastify-data-access' },
  { name: 'ours-context', title: 'fastify-data-access, with a context', package: 'fastify-data-access' },
  { name: 'ours-shared', title: 'fastify-data-access, shared reads', package: 'fastify-data-access' },
  { name: 'ours-single', title: 'fastify-data-access, single write', package: 'fastify-data-access' },
  { name: 'ours-json', title: 'fastify-data-access, json()', package: 'fastify-data-access' },
  { name: 'drizzle', title: 'Drizzle', package: 'drizzle-orm' },
  { name: 'drizzle-1', title: 'Drizzle 1.0', package: 'drizzle-orm-1' },
  { name: 'postgres-js', title: 'postgres.js', package: 'postgres' },
  { name: 'kysely', title: 'Kysely', package: 'kysely' },
  { name: 'prisma', title: 'Prisma', package: '@prisma/client' },
  { name: 'mikro-orm', title: 'MikroORM', package: '@mikro-orm/core' },
  { name: 'typeorm', title: 'TypeORM', package: 'typeorm' },
  { name: 'objection', title: 'Objection', package: 'objection' },
  { name: 'sequelize', title: 'Sequelize', package: 'sequelize' },
  { name: 'sql-mapper', title: 'Platformatic sql-mapper', package: '@platformatic/sql-mapper' }
]

/** The baselines of the ratios: of processor time, and of requests per second. */
export const baselines = { pipeline: 'pg-pipeline', transaction: 'pg-transaction' }
