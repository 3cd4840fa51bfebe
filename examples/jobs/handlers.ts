import { increment, type Database, type Session } from '../../plugins/index.js'
import { receivedEvents, stock } from './schema.js'
import type { OrderPlaced, queues } from './events.js'

type Handler = (session: Session, event: OrderPlaced) => Promise<unknown>

/** What each queue does with an event, in the transaction that also notes it as received. */
const handlers: Readonly<Record<typeof queues[number], Handler>> = {
  stock: (session, { item, quantity }) => session.repo(stock).updateOrThrow(item, { left: increment(-quantity) }),
  // A mail cannot be undone: it is sent after the commit, and a crash in between loses it. Sent before, it may go out twice.
  mail: async (session, { orderId }) => session.afterCommit(() => console.log(`order ${orderId} is confirmed by mail`))
}

/** Handles an event once for each queue, however often it is delivered; returns whether this was the first time. */
export async function receive (database: Database, queue: typeof queues[number], event: OrderPlaced): Promise<boolean> {
  return await database.session(async (session) => {
    const { created } = await session.repo(receivedEvents).getOrCreate({ id: event.id, queue })
    if (created) await handlers[queue](session, event)
    return created
  })
}
