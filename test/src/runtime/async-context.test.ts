import { AsyncLocalStorage } from 'node:async_hooks'
import t from 'tap'
import { AsyncContext } from '../../../src/runtime/async-context.js'

t.test('a value is visible in a function and its calls as long as tracking is on', async (t) => {
  const context = new AsyncContext<string>()
  const leave = context.enter()

  await context.run('outer', async () => {
    await context.run('inner', () => { t.equal(context.current, 'inner') })
    await Promise.resolve()
    t.equal(context.current, 'outer')
    leave()
    t.equal(context.current, undefined)
  })
})

t.test('without tracking a function runs without context, and no storage is enabled', async (t) => {
  const context = new AsyncContext<string>()
  const entered = t.capture(AsyncLocalStorage.prototype, 'run', AsyncLocalStorage.prototype.run)

  t.equal(await context.run('value', () => context.current ?? 'none'), 'none')
  await t.rejects(context.run('value', () => { throw new Error('slip') }), { message: 'slip' })
  t.strictSame(entered(), [])
})
