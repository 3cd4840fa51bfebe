/**
 * A program for {@link loadedBy}: imports a module of this package, registers it on one server after the other, and prints the modules
 * that each step loaded. The first step is Drizzle, pg and, if there are servers, Fastify: what they load is no cost of this package.
 *
 *     node --import ./test/loader/register.js test/helpers/loading.ts src/index.ts [options as JSON ...]
 *
 * In the options, `variables` are those of the environment.
 */
import Module, { register } from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import type { DataAccessOptions } from '../../plugins/index.js'

const [,, door = '', ...registers] = process.argv
const { port1: loaded, port2: port } = new MessageChannel()
register('../loader/recorder.js', import.meta.url, { data: { port }, transferList: [port] })
const seen = new Set<string>()

/** The modules that were loaded since the last call. CommonJS modules are not imported one by one. */
function news (): string[] {
  const paths = Object.keys((Module as unknown as { _cache: object })._cache)
  for (let next; (next = receiveMessageOnPort(loaded)) !== undefined;) {
    if (next.message.startsWith('file:')) paths.push(fileURLToPath(next.message))
  }
  const fresh = [...new Set(paths)].filter((path) => !seen.has(path))
  for (const path of fresh) seen.add(path)
  return fresh.map((path) => relative(process.cwd(), path).replaceAll('\\', '/'))
}

news()
const steps: string[][] = []
const step = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  const result = await work()
  steps.push(news())
  return result
}

await step(async () => { for (const name of ['drizzle-orm/node-postgres', 'pg', ...registers.length === 0 ? [] : ['fastify']]) await import(name) })
const { default: plugin } = await step(() => import(pathToFileURL(door).href))
for (const text of registers) {
  const { variables, ...options } = JSON.parse(text) as DataAccessOptions & { variables?: Record<string, string> }
  const { default: Fastify } = await import('fastify')
  const server = Fastify()
  Object.assign(process.env, variables)
  await step(async () => { await server.register(plugin, options) })
  await server.close()
}
loaded.close()
console.log(JSON.stringify(steps))
