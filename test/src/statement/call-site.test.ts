import t from 'tap'
import { foreignPlaces, framesOf, CallSites } from '../../../src/statement/call-site.js'

t.test('keeps the program\'s frames, innermost first, and leaves Error.stackTraceLimit unchanged', async (t) => {
  const { stackTraceLimit } = Error
  t.teardown(() => { Error.stackTraceLimit = stackTraceLimit })
  Error.stackTraceLimit = 1
  const origins = new CallSites()
  const inner = () => origins.here()
  const outer = () => [1].map(inner)[0]

  const frames = framesOf(outer() ?? {}).split('\n')

  t.match(frames, [/^at inner \(.*call-site\.test\.ts:\d+:\d+\)$/, /^at outer /])
  t.notMatch(frames.join('\n'), /origin\.ts|node_modules|node:|<anonymous>\)/)
  t.equal(Error.stackTraceLimit, 1)
})

t.test('shows the whole stack where no frame is the program\'s', async (t) => {
  const stack = 'Error\n    at Timeout._onTimeout (node:internal/timers:1:2)'
  t.equal(framesOf({ stack }), stack)
})

t.test('recognizes the package\'s own frames, and none of them in a bundle of the program', async (t) => {
  const others = ['node:', 'node_modules/', '(<anonymous>)']
  const own = ['/app/dist/src/', '/app/dist/plugins/']
  t.strictSame(foreignPlaces('Error\n    at file:///app/dist/src/statement/call-site.js:60:42\n    at ModuleJob.run (node:internal)'), [...own, ...others])
  t.strictSame(foreignPlaces('Error\n    at Object.<anonymous> (/app/dist/src/statement/call-site.js:60:42)'), [...own, ...others])
  t.strictSame(foreignPlaces('Error\n    at file:///app/dist/src/chunks/data-access-NKQ2A7PL.js:60:42\n    at ModuleJob.run (node:internal)'), [...own, ...others])
  t.strictSame(foreignPlaces('Error\n    at file:///app/dist/chunks/chunk-NKQ2A7PL.js:60:42'), others)
  t.strictSame(foreignPlaces('Error\n    at Object.<anonymous> (/app/bundle.cjs:6042:42)'), others)
})

t.test('takes no more than a hundred in a second', async (t) => {
  const origins = new CallSites()
  let second: number
  let taken: number
  do {
    // A second that ends meanwhile would be another one's hundred.
    second = Math.trunc(performance.now() / 1000)
    taken = Array.from({ length: 300 }, () => origins.here()).filter((origin) => origin !== undefined).length
  } while (second !== Math.trunc(performance.now() / 1000) || taken === 0)
  t.equal(taken, 100)

  while (origins.here() === undefined);
  t.not(Math.trunc(performance.now() / 1000), second, 'more in the next')
})
