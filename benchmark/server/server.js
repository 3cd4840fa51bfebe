// The server of one peer, in a separate process: node server/server.js <peer>, with DATABASE_URL, POOL_SIZE and PLAIN_READS in the environment.
// Sends the port to its parent, and answers the messages of the parent.
import Fastify from 'fastify'
import { startProfile, stopProfile } from './profiler.js'
import { routes } from './routes.js'

const [name] = process.argv.slice(2)
const { DATABASE_URL: connectionString, POOL_SIZE: poolSize, PLAIN_READS: plainReads } = process.env
// Settings come from the caller only. A library that reads the environment must find none.
delete process.env.DATABASE_URL

const { open } = await import(`../peers/${name}.js`)
const fastify = Fastify({ logger: false })
const accounts = await open(fastify, { connectionString, poolSize: Number(poolSize), plainReads: plainReads === 'true' })
await fastify.register(routes, { accounts })
await fastify.listen({ host: '127.0.0.1', port: 0 })

/** The answers to the messages of the parent, by name. */
const answers = {
  usage: () => ({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() }),
  startProfile,
  stopProfile
}

process.on('message', async ({ question, input }) => process.send({ answer: await answers[question](input) }))
// The parent has ended, or has asked this process to end.
process.on('disconnect', async () => {
  await fastify.close()
  process.exit()
})
process.send({ port: fastify.server.address().port })
