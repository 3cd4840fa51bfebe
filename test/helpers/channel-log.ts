import { acquireChannel, connectChannel, leakChannel, releaseChannel, retryChannel, statementChannel, transactionChannel } from '../../src/channels/channels.js'
import { unsubscribe } from 'node:diagnostics_channel'
import type { TracingChannel } from 'node:diagnostics_channel'
import type { Test } from './test.js'

const tracing = { statement: statementChannel, transaction: transactionChannel, acquire: acquireChannel } as const
const plain = { release: releaseChannel, connect: connectChannel, leak: leakChannel, retry: retryChannel } as const

/** One publication: the channel, the event, and a copy of the message at that moment. */
export interface Publication {
  readonly channel: string
  readonly event: string
  readonly message: Record<string, unknown>
}

/** Records what is published on channels, by their short names, until the end of the test. Only messages about one database count. */
export function channelLog (t: Test, names: ReadonlyArray<keyof typeof tracing | keyof typeof plain>, namespace?: string) {
  const log: Publication[] = []
  const note = (channel: string, event: string) => (message: object): void => {
    if (namespace === undefined || Reflect.get(message, 'namespace') === namespace) log.push({ channel, event, message: { ...message } })
  }
  for (const name of names) {
    if (name in tracing) {
      const channel = tracing[name as keyof typeof tracing] as TracingChannel<unknown, object>
      const subscribers = Object.fromEntries(['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((event) => [event, note(name, event)]))
      channel.subscribe(subscribers as never)
      t.teardown(async () => { channel.unsubscribe(subscribers as never) })
    } else {
      const channel = plain[name as keyof typeof plain]
      const subscriber = note(name, 'published')
      channel.subscribe(subscriber as never)
      t.teardown(async () => { unsubscribe(channel.name, subscriber as never) })
    }
  }
  const events = (event: string, name?: string) => {
    const wanted = log.filter((entry) => entry.event === event && (name === undefined || entry.channel === name))
    return wanted.map(({ message }) => message)
  }
  return {
    log,
    /** The messages of the starts, as they were then. */
    started: (name?: string) => events('start', name),
    /** The messages of the ends, as they were then. */
    ended: (name?: string) => events('asyncEnd', name),
    failed: (name?: string) => events('error', name),
    published: (name?: string) => events('published', name),
    clear: () => log.splice(0)
  }
}
