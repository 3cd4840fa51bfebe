import { PassThrough } from 'node:stream'
import t from 'tap'
import { canAsk, confirm } from '../../../src/runtime/confirm.js'

const signal = new AbortController().signal

/** A terminal, or a pipe, whose input the test writes. */
function streams ({ input = true, output = true } = {}) {
  return { input: Object.assign(new PassThrough(), { isTTY: input }), output: Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: output }) }
}

t.test('somebody can be asked in a terminal, and not in a pipe or a pipeline', async (t) => {
  t.equal(canAsk(streams(), {}), true)
  t.equal(canAsk(streams(), { CI: '' }), true)
  t.equal(canAsk(streams(), { CI: 'false' }), true)
  t.equal(canAsk(streams(), { CI: '1' }), false)
  t.equal(canAsk(streams({ input: false }), {}), false)
  t.equal(canAsk(streams({ output: false }), {}), false)
  t.equal(canAsk({ input: new PassThrough(), output: new PassThrough() }, {}), false)
})

t.test('only yes confirms, and the question is shown', async (t) => {
  for (const [answer, expected] of [['yes', true], [' yes\t', true], ['YES', false], ['y', false], ['', false]] as const) {
    const terminal = streams()
    terminal.input.write(`${answer}\n`)
    t.equal(await confirm(terminal, 'Drop it? ', signal), expected, JSON.stringify(answer))
    t.equal(terminal.output.read(), 'Drop it? ')
  }
})

t.test('the end of the input is no, and so is an abort, before the question or during it', async (t) => {
  const terminal = streams()
  terminal.input.end()
  t.equal(await confirm(terminal, '', signal), false)

  t.equal(await confirm(streams(), '', AbortSignal.abort()), false)
  const stop = new AbortController()
  const answer = confirm(streams(), '', stop.signal)
  stop.abort()
  t.equal(await answer, false)
})
