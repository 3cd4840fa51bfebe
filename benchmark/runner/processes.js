import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '..')

/**
 * Starts a program of this benchmark as a separate process.
 *
 * @param {string} program its path below `benchmark/`
 * @param {{ args?: string[], env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ first: object, ask: (message: object) => Promise<object>, stop: () => Promise<void> }>} `first` is its first message
 */
export async function startProcess (program, { args = [], env = {} } = {}) {
  const child = fork(join(folder, program), args, { cwd: folder, env: { ...process.env, NODE_ENV: 'production', ...env }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const ended = once(child, 'exit')
  const answer = () => Promise.race([
    once(child, 'message').then(([message]) => message),
    ended.then(([code]) => { throw new Error(`${program} ${args.join(' ')} ended with ${code} instead of an answer: its words are above`) })
  ])
  const first = await answer()
  return {
    first,
    ask (message) {
      const answered = answer()
      child.send(message)
      return answered
    },
    async stop () {
      if (child.connected) child.disconnect()
      const late = setTimeout(() => child.kill('SIGKILL'), 5000)
      await ended
      clearTimeout(late)
    }
  }
}

/** Starts the server of a peer, and resolves when it is ready. */
export async function startServer (peer, { connectionString, poolSize, plainReads }) {
  const env = { DATABASE_URL: connectionString, POOL_SIZE: String(poolSize), PLAIN_READS: String(plainReads) }
  const { first, ask, stop } = await startProcess('server/server.js', { args: [peer.name], env })
  return { peer, port: first.port, stop, ask: async (question, input) => (await ask({ question, input })).answer }
}
