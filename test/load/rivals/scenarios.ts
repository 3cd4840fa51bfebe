import { setTimeout as wait } from 'node:timers/promises'
import type { Stage } from './stage.js'

/** The outcome of a scenario, in the words of the table. */
export interface Outcome {
  /** Whether the reply to the client was true, and the promise was kept. */
  readonly holds: boolean
  readonly words: string
}

/** One way to break a promise. */
export interface Scenario {
  /** Its number in the tests of this package. */
  readonly number: string
  readonly title: string
  run (stage: Stage): Promise<Outcome>
}

const id = 1

/** Sends a request whose work cannot be kept: the reply must not be a success, and no row may exist. */
async function refused (stage: Stage, path: string): Promise<Outcome> {
  return await refusal(stage, await stage.post(path))
}

async function refusal (stage: Stage, told: string): Promise<Outcome> {
  await stage.quiet()
  const rows = await stage.rows(id)
  return { holds: /^[45]/.test(told) && rows === 'nothing', words: `${told}, ${savedWords[rows]}` }
}

const savedWords = { nothing: 'nothing saved', left: 'saved', right: 'half of it saved', both: 'saved' }

/** Sends two requests one after the other: the first may fail, the second must be served. */
async function servedAfter (stage: Stage, told: string): Promise<Outcome> {
  await stage.inUse()
  const next = await stage.post(`/write/${id + 1}`)
  return { holds: !told.startsWith('2') && next === '200', words: `${told}, then ${next}` }
}

/** In the order of the table. */
export const scenarios: readonly Scenario[] = [
  { number: '3', title: 'a statement fails, the handler swallows that and returns', run: (stage) => refused(stage, `/swallowed/${id}`) },
  { number: '4', title: 'a statement that nobody awaits fails', run: (stage) => refused(stage, `/unawaited/${id}`) },
  {
    number: '5',
    title: 'SQL of the handler says COMMIT, writes again, and the handler throws',
    async run (stage) {
      const told = await stage.post(`/ended/${id}`)
      await stage.quiet()
      const rows = await stage.rows(id)
      return { holds: !told.startsWith('2') && rows === 'left', words: `${told}, the second write ${rows === 'both' ? 'saved' : 'refused'}` }
    }
  },
  { number: '11', title: 'the reply cannot be made into JSON', run: (stage) => refused(stage, `/unwritable/${id}`) },
  {
    number: '16c',
    title: 'the connection breaks at BEGIN',
    async run (stage) {
      stage.proxy.loseRequest(stage.words.begin, 'reset')
      return await servedAfter(stage, await stage.post(`/write/${id}`))
    }
  },
  { number: '17', title: 'a deferred constraint fails at COMMIT', run: (stage) => refused(stage, `/orphan/${id}`) },
  {
    number: '18',
    title: 'the backend dies before COMMIT is sent',
    async run (stage) {
      const reply = stage.post(`/held/${id}`)
      await stage.terminate(await stage.backendIn('idle in transaction'))
      await stage.go()
      return await refusal(stage, await reply)
    }
  },
  {
    number: '19',
    title: 'the answer to COMMIT is lost, and it was saved',
    async run (stage) {
      stage.proxy.loseAnswer(stage.words.commit, 'cut')
      const told = await stage.post(`/write/${id}`)
      await stage.quiet()
      const isTrue = told === '200' || told.endsWith('UNKNOWN')
      return { holds: isTrue, words: `${told}, ${savedWords[await stage.rows(id)]}` }
    }
  },
  {
    number: '33',
    title: 'the client leaves during a long query',
    async run (stage) {
      const { leave } = await stage.visit(`/slow/${id}`)
      await stage.backendIn('active')
      leave()
      const isCancelled = await Promise.race([
        stage.quiet().then(() => true),
        wait(500, false, { ref: false })
      ])
      await stage.quiet()
      const rows = await stage.rows(id)
      return { holds: isCancelled && rows === 'nothing', words: `query ${isCancelled ? 'cancelled' : 'ran on'}, ${savedWords[rows]}` }
    }
  },
  { number: '29, 37', title: 'handlerTimeout ends during a query, and the handler writes on', run: (stage) => refused(stage, `/limited/slow/${id}`) },
  {
    number: '39',
    title: 'all connections are in use for longer than one may wait',
    async run (stage) {
      const holders = [stage.post(`/held/${id}`), stage.post(`/held/${id + 1}`)]
      await stage.backendIn('idle in transaction')
      while (await stage.inUse() < 2) await wait(5)
      const told = await stage.post(`/write/${id + 2}`)
      await stage.go()
      await Promise.all(holders)
      return { holds: told.startsWith('503'), words: told }
    }
  },
  {
    number: '46',
    title: 'an idle backend is killed',
    async run (stage) {
      await stage.post(`/write/${id}`)
      await stage.terminate(await stage.backendIn('idle'))
      await wait(100)
      const told = await stage.post(`/write/${id + 1}`)
      return { holds: told === '200', words: `then ${told}` }
    }
  },
  {
    number: '46',
    title: 'a backend is killed during a query',
    async run (stage) {
      const reply = stage.post(`/slow/${id}`)
      await stage.terminate(await stage.backendIn('active'))
      return await servedAfter(stage, await reply)
    }
  },
  {
    number: 'rule 1',
    title: 'a row is visible to others as soon as the reply tells of it (50 replies)',
    async run (stage) {
      let missing = 0
      for (let each = 1; each <= 50; each++) {
        const told = await stage.post(`/write/${each}`)
        if (told !== '200' || await stage.rows(each) === 'nothing') missing++
      }
      return { holds: missing === 0, words: missing === 0 ? 'visible' : `${missing} were not` }
    }
  }
]
