import t from 'tap'
import { UsageError } from '../../../src/index.js'
import { resolveTransactionOptions } from '../../../src/settings/transaction-options.js'
import type { TransactionOptions } from '../../../src/index.js'

t.test('completes what is not given', async (t) => {
  const defaults = {
    readsOutside: true, begin: 'begin', readOnly: false, retries: 0, timeoutMillis: undefined, settleTimeoutMillis: 5000, resolveCommits: false
  }
  t.same(resolveTransactionOptions({}), defaults)
  t.same(resolveTransactionOptions({ begin: undefined, isolationLevel: undefined, deferrable: undefined, settleTimeoutMillis: undefined }), defaults)
})

t.test('makes a BEGIN of the modes, and never changes what it was given', async (t) => {
  const options = Object.freeze({
    isolationLevel: 'serializable', accessMode: 'read only', deferrable: true, timeoutMillis: 1, settleTimeoutMillis: 0.5
  } as const)
  t.same(resolveTransactionOptions(options), {
    readsOutside: false,
    begin: 'begin isolation level serializable, read only, deferrable',
    isolationLevel: 'serializable',
    readOnly: true,
    retries: 0,
    timeoutMillis: 1,
    settleTimeoutMillis: 0.5,
    resolveCommits: false
  })
  t.match(resolveTransactionOptions({ deferrable: false }), { begin: 'begin not deferrable', readsOutside: false })
  t.match(resolveTransactionOptions({ begin: 'firstQuery' }), { begin: 'begin', readsOutside: false })
})

t.test('refuses what cannot be, by name, without the value', async (t) => {
  const bad: Array<[Record<string, unknown>, RegExp]> = [
    [{ begin: 'onRequest' }, /^transaction.begin must be 'firstWrite' or 'firstQuery'$/],
    [{ isolationLevel: 'serializable; drop table users' }, /^transaction.isolationLevel must be 'read uncommitted' or .*'serializable'$/],
    [{ isolationLevel: ['serializable'] }, /^transaction.isolationLevel/],
    [{ accessMode: 'READ ONLY' }, /^transaction.accessMode must be 'read write' or 'read only'$/],
    [{ accessMode: null }, /^transaction.accessMode/],
    [{ deferrable: 'yes' }, /^transaction.deferrable must be true or false$/],
    [{ isolation: 'serializable' }, /^transaction.isolation is no option: there are begin, isolationLevel/],
    [{ toString: 1 }, /^transaction.toString is no option/],
    ...['timeoutMillis', 'settleTimeoutMillis'].flatMap((name) => [
      0, -1, NaN, Infinity, 2 ** 31, '5000', null
    ].map((value): [Record<string, unknown>, RegExp] =>
      [{ [name]: value }, new RegExp(`^transaction.${name} must be a number of milliseconds, above 0 and at most 2147483647$`)]))
  ]
  for (const [options, message] of bad) {
    t.throws(() => resolveTransactionOptions(options as TransactionOptions), UsageError)
    t.throws(() => resolveTransactionOptions(options as TransactionOptions), { message })
  }
})
