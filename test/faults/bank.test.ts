import t from 'tap'
import type { AddressInfo } from 'node:net'
import { deferred } from '../helpers/deferred.js'
import { posts, users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import type { FastifyInstance } from 'fastify'
import type { RequestTransactionOptions } from '../../plugins/request/transaction-plan.js'
import type { RowOptions } from '../../src/index.js'
import type { Test } from '../helpers/test.js'

interface Transfer {
  readonly number: number
  readonly from: number
  readonly to: number
  readonly amount: number
}

interface BankOptions {
  readonly transaction: RequestTransactionOptions
  readonly lock?: 'update'
  /** Each transfer awaits it after reading and before writing. */
  readonly afterReading?: () => Promise<void>
}

const accounts = [1, 2, 3, 4, 5]
const wealth = 100

/** A listening bank: accounts are users, and the journal of transfers is in their posts. */
async function openBank (t: Test, { transaction, lock, afterReading }: BankOptions): Promise<FastifyInstance> {
  const server = await build(t, { pool: { size: 10, maxOverflow: 0 } })
  server.post<{ Body: Transfer }>('/transfers', { config: { transaction } }, async (request, reply) => {
    const { from, to } = request.body
    const repo = request.repo(users)
    const options: RowOptions<typeof users> = lock === undefined ? {} : { lock }
    const balances = new Map<number, number>()
    // Always in this order, so that two transfers that lock the same accounts never deadlock.
    for (const id of [from, to].sort()) balances.set(id, (await repo.getOrThrow(id, options)).balance)
    const { amount } = request.body
    const left = Number(balances.get(from)) - amount
    if (left < 0) return reply.code(422).send()
    await afterReading?.()
    await repo.updateOrThrow(from, { balance: left })
    await repo.updateOrThrow(to, { balance: Number(balances.get(to)) + amount })
    await request.repo(posts).create({ userId: from, title: JSON.stringify(request.body) })
    reply.code(201)
    return { done: true }
  })
  await server.db.repo(users).createMany(accounts.map((id) => ({ email: `account ${id}`, balance: wealth })))
  await server.listen({ host: '127.0.0.1', port: 0 })
  return server
}

async function send (server: FastifyInstance, transfer: Transfer): Promise<number> {
  const { port } = server.server.address() as AddressInfo
  const reply = await fetch(`http://127.0.0.1:${port}/transfers`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(transfer)
  })
  await reply.arrayBuffer()
  return reply.status
}

async function balancesOf (server: FastifyInstance): Promise<number[]> {
  return (await server.db.repo(users).getAll()).map(({ balance }) => balance)
}

function sumOf (numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

/** A transfer between random accounts, of an amount that an account may not have. */
function randomTransfer (number: number): Transfer {
  const from = 1 + Math.floor(Math.random() * accounts.length)
  const to = 1 + (from + Math.floor(Math.random() * (accounts.length - 1))) % accounts.length
  return { number, from, to, amount: 1 + Math.floor(Math.random() * 60) }
}

const ways: Record<string, BankOptions> = {
  'serializable transactions with retries': { transaction: { isolationLevel: 'serializable', retries: 20 } },
  'read committed with rows locked in order': { transaction: { isolationLevel: 'read committed' }, lock: 'update' }
}

for (const [name, options] of Object.entries(ways)) {
  t.test(`transfers side by side lose and make no money: ${name}`, async (t) => {
    const server = await openBank(t, options)
    const statuses = new Map<number, number>()
    const transfers = Array.from({ length: 150 }, (_, number) => randomTransfer(number))
    const queue = [...transfers]
    await Promise.all(Array.from({ length: 6 }, async () => {
      for (let transfer = queue.pop(); transfer !== undefined; transfer = queue.pop()) statuses.set(transfer.number, await send(server, transfer))
    }))

    const balances = await balancesOf(server)
    t.equal(sumOf(balances), accounts.length * wealth)
    t.ok(balances.every((balance) => balance >= 0), 'nobody owes anything')
    const seen = new Set(statuses.values())
    t.ok(seen.has(201) && seen.has(422), 'some were carried out, some were refused for want of money')
    t.strictSame([...seen].filter((status) => ![201, 409, 422].includes(status)), [], 'what failed had lost against others')
    const acknowledged = transfers.filter(({ number }) => statuses.get(number) === 201)
    const journal = (await server.db.repo(posts).getAll({ limit: 1000 })).map(({ title }) => JSON.parse(title) as Transfer)
    const byNumber = (one: Transfer, other: Transfer): number => one.number - other.number
    t.strictSame(journal.sort(byNumber), acknowledged, 'what was acknowledged is there, and nothing else')
    const expected = accounts.map((id) => wealth + sumOf(acknowledged.map(({ from, to, amount }) => to === id ? amount : from === id ? -amount : 0)))
    t.strictSame(balances, expected)
  })
}

/** Blocks all callers until the given number has arrived, and none from then on. */
function barrier (count: number): () => Promise<void> {
  const open = deferred()
  let come = 0
  return () => {
    if (++come === count) open.resolve()
    return open.promise
  }
}

/** Makes two withdrawals from the same account; both read before either writes. */
async function collide (server: FastifyInstance): Promise<number[]> {
  return await Promise.all([2, 3].map((to) => send(server, { number: to, from: 1, to, amount: 10 })))
}

t.test('the same transfers create money without isolation: the tests above can fail', async (t) => {
  const server = await openBank(t, { transaction: { isolationLevel: 'read committed' }, afterReading: barrier(2) })
  t.strictSame(await collide(server), [201, 201])
  t.strictSame(sumOf(await balancesOf(server)), accounts.length * wealth + 10)
})

t.test('of two that have both read before either wrote, a serializable one is done again', async (t) => {
  const server = await openBank(t, { transaction: { isolationLevel: 'serializable', retries: 20 }, afterReading: barrier(2) })
  t.strictSame(await collide(server), [201, 201])
  t.strictSame(await balancesOf(server), [80, 110, 110, 100, 100])
})
