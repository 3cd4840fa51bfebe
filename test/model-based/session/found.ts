import type { Body, Program, SessionProgram, Step } from './program.js'

const via = 'scope'
const shared = { awaited: true, via } as const

function body (...steps: Step[]): Body {
  return { steps, throws: false, leavesOpen: undefined }
}

function session (...steps: Step[]): SessionProgram {
  return { way: 'createSession', options: {}, body: body(...steps), endings: ['commit'], endsInParallel: false }
}

function alone (...steps: Step[]): Program {
  return { sessions: [session(...steps)], isPoolSmall: false, interruption: undefined }
}

const create = (key: number): Step => ({ do: 'statement', statement: { run: 'create', key }, ...shared })
const run = (what: 'divide' | 'unsendable' | 'select', awaited = true): Step => ({ do: 'statement', statement: { run: what }, via, awaited })
const scope = (...steps: Step[]): Step => ({ do: 'scope', body: body(...steps), ...shared })

/** Programs whose results once differed from the prediction, reduced as far as possible. Every run replays them. */
export const found: ReadonlyArray<{ readonly title: string, readonly program: Program }> = [
  {
    title: 'a failure that a nested scope has undone is no cause of a later one',
    program: alone(create(2), scope(create(0)), run('divide'))
  },
  {
    title: 'a write that could not be sent is not forgotten with a scope that was opened behind it',
    program: alone(run('unsendable', false), scope(create(0), { do: 'rollbackOnly', via }), create(3))
  }
]
