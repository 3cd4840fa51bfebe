import t from 'tap'
import { withoutStack } from '../../../src/runtime/stack-less.js'

t.test('an error that is made without a stack is nothing but its name and message, and the next one has a stack again', async (t) => {
  t.equal(withoutStack(() => new RangeError('too many')).stack, 'RangeError: too many')
  t.throws(() => withoutStack(() => { throw new Error('in vain') }))
  t.match(new RangeError('too many').stack, 'stack-less.test')
})
