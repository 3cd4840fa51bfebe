import { EventEmitter } from 'node:events'
import t from 'tap'
import { LiveFeed } from '../../../plugins/live/live-feed.js'
import { createTestDatabase, expectNoLeaks } from '../../../src/testing/index.js'
import type { Test } from 'tap'

/** A response whose reader takes what it is told to take. */
class Reader extends EventEmitter {
  writableNeedDrain = false
  events = 0
  ended = false
  destroyed = false
  write (): boolean {
    this.events++
    return !this.writableNeedDrain
  }

  end (): this {
    this.ended = true
    return this
  }

  destroy (): this {
    this.destroyed = true
    return this
  }
}

async function build (t: Test) {
  const { database } = await createTestDatabase(t)
  const clock = t.capture(globalThis, 'setInterval', setInterval)
  const feed = new LiveFeed(database)
  t.teardown(async () => {
    await feed.close()
    await expectNoLeaks(database)
  })
  return { feed, clock }
}

t.test('a reader that does not take an event gets no other one, and is cut off after half a minute', async (t) => {
  const { feed, clock } = await build(t)
  const slow = new Reader()
  const quick = new Reader()
  feed.add(slow as never)
  feed.add(quick as never)
  const tick = clock().map(({ args: [call] }) => call).at(-1) as () => void

  slow.writableNeedDrain = true
  for (let second = 1; second <= 30; second++) tick()
  t.match(slow, { events: 1, destroyed: false })
  t.equal(quick.events, 31)
  slow.writableNeedDrain = false
  tick()
  t.equal(slow.events, 2)
  slow.writableNeedDrain = true
  for (let second = 1; second <= 31; second++) tick()
  t.match(slow, { events: 2, destroyed: true })
  t.match(quick, { events: 63, destroyed: false })
  slow.emit('close')
})

t.test('a feed that is closed ends its readers, and whoever comes later', async (t) => {
  const { feed } = await build(t)
  const reader = new Reader()
  feed.add(reader as never)

  await feed.close()
  t.ok(reader.ended)
  const late = new Reader()
  feed.add(late as never)
  t.match(late, { events: 0, ended: true })
})
