import t from 'tap'
import { simulate } from './simulated-pool.js'

/** How long connections are held, in 20 ms on average. */
const holdings = {
  'the same time each': () => 20,
  'between nothing and twice the mean': (random: number) => 40 * random,
  'often short, seldom long': (random: number) => -20 * Math.log(1 - random)
}

/** The same numbers in each run. */
function numbers (): () => number {
  let state = 42
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const common = { timeoutMillis: 500, millis: 100_000, from: 10_000 }

for (const [name, holding] of Object.entries(holdings)) {
  for (const connections of [1, 5, 20]) {
    const whole = 20 / connections

    t.test(`${connections} connections held ${name}: four fifths of what can be served are served`, async (t) => {
      const fates = simulate({ ...common, connections, holding, everyMillis: whole / 0.8, random: numbers() })
      t.match(fates, { refused: 0, expired: 0 })
    })

    t.test(`${connections} connections held ${name}: of three times what can be served, the excess is refused at once`, async (t) => {
      const { served, refused, expired, mostWaiting } = simulate({ ...common, connections, holding, everyMillis: whole / 3, random: numbers() })
      const most = 90_000 / whole
      t.ok(served > 0.95 * most, `the connections are in use: ${served} of ${most}`)
      t.ok(expired < 0.05 * refused, `${expired} waited in vain, ${refused} were refused at once`)
      t.ok(mostWaiting < 3 * 500 / whole, `the queue is about as long as can be served in time: ${mostWaiting}`)
    })
  }
}

t.test('a server that answers nothing keeps no more waiters than come within the longest wait, and afterwards all are served', async (t) => {
  const dead = simulate({ ...common, connections: 5, holding: () => Infinity, everyMillis: 1, random: numbers() })
  t.equal(dead.served, 0)
  t.ok(dead.mostWaiting <= 500, `${dead.mostWaiting} waited`)
  t.ok(dead.expired <= 5 * 90_000 / 500 + 5, `as many as there are connections try it each time: ${dead.expired}`)

  const recovered = simulate({ ...common, connections: 5, holding: (_, now) => now < 5000 ? 5000 - now : 4, everyMillis: 1, random: numbers() })
  t.match(recovered, { refused: 0, expired: 0 })
})

t.test('a quiet pool accepts a crowd that it can serve', async (t) => {
  const { refused, expired } = simulate({
    ...common,
    connections: 5,
    // A slow time, then a quick one.
    holding: (_, now) => now < 9000 ? 100 : 4,
    everyMillis: 1,
    random: numbers()
  })
  t.same([refused, expired], [0, 0])
})
