/**
 * The requests to every peer.
 *
 * @typedef {{ method: string, path: string, body?: unknown }} Request
 * @typedef {object} Endpoint
 * @property {string} name
 * @property {string} title
 * @property {boolean} writes
 * @property {(random: (below: number) => number) => Request} request makes a request of the load
 */

/** The number of accounts before each measurement. */
export const rowCount = 10_000

const anyId = (random) => 1 + random(rowCount)

function newAccount (random) {
  const number = random(1_000_000)
  return { name: `Ada ${number}`, email: `ada${number}@example.com`, balance: random(1000), isActive: true, settings: { theme: 'dark', pages: [1, 2, 3] }, note: 'made by the benchmark' }
}

/** Two accounts. The amount is small enough that no account runs empty during a burst. */
function transfer (random) {
  const from = anyId(random)
  return { from, to: from % rowCount + 1, amount: 1 }
}

/** @type {readonly Endpoint[]} */
export const endpoints = [
  { name: 'none', title: 'No query', writes: false, request: () => ({ method: 'GET', path: '/none' }) },
  { name: 'read', title: 'Read by key', writes: false, request: (random) => ({ method: 'GET', path: `/accounts/${anyId(random)}` }) },
  { name: 'list', title: 'List of 20', writes: false, request: () => ({ method: 'GET', path: '/accounts?limit=20' }) },
  { name: 'create', title: 'Create', writes: true, request: (random) => ({ method: 'POST', path: '/accounts', body: newAccount(random) }) },
  { name: 'update', title: 'Load and update', writes: true, request: (random) => ({ method: 'PATCH', path: `/accounts/${anyId(random)}`, body: { note: `note ${random(1_000_000)}` } }) },
  { name: 'transfer', title: 'Transfer between two accounts', writes: true, request: (random) => ({ method: 'POST', path: '/transfers', body: transfer(random) }) },
  { name: 'many', title: 'Create 100', writes: true, request: (random) => ({ method: 'POST', path: '/accounts/many', body: Array.from({ length: 100 }, () => newAccount(random)) }) }
]

/** Pseudo-random numbers, the same in each run: mulberry32. */
export function seededRandom (seed) {
  let state = seed
  return (below) => {
    state = (state + 0x6D2B79F5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
