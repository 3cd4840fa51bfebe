import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { findLoader, loadModule, type Exports } from './load-module.js'

/** Loads modules with one module cache, so that a table imported by two files is one table. */
interface Registry {
  load (path: string): Promise<Exports>
  close (): Promise<void>
}

/**
 * Loads the files of a schema with one registry. In a circle of imports, it starts with a file that can be loaded first.
 *
 * @param from the folder whose packages may have the loader
 */
export async function loadTogether (paths: readonly string[], from: string): Promise<Exports[]> {
  if (paths.some((path) => /\.[cm]?ts$/.test(path)) && findLoader('tsx/cjs/api', from) !== undefined) {
    // drizzle-kit does the same. A module with top-level await cannot be required, so it is imported.
    return await inAnyOrder(paths, () => required(from)).catch((cause: Error) => isAsync(cause) ? inAnyOrder(paths, () => imported(from)) : Promise.reject(cause))
  }
  const loaded: Exports[] = []
  for (const path of paths) loaded.push(await loadModule(path, from))
  return loaded
}

/** In a circle of imports, a file that uses an export before it is initialized moves to the end, so that another file of the circle is loaded first. */
async function inAnyOrder (paths: readonly string[], open: () => Promise<Registry>): Promise<Exports[]> {
  const moved = new Map<string, unknown>()
  for (let order = [...paths]; ; order = [...order.filter((path) => !moved.has(path)), ...moved.keys()]) {
    const registry = await open()
    const loaded = new Map<string, Exports>()
    let current = ''
    try {
      for (current of order) loaded.set(current, await registry.load(current))
      return paths.map((path) => loaded.get(path)!)
    } catch (cause) {
      if ((cause as Error).name !== 'ReferenceError') throw cause
      if (moved.has(current)) throw moved.get(current)
      moved.set(current, cause)
    } finally {
      await registry.close()
    }
  }
}

async function required (from: string): Promise<Registry> {
  const { register } = createRequire(import.meta.url)(findLoader('tsx/cjs/api', from)!) as { register (options: { namespace: string }): { require (path: string, parent: string): Exports, unregister (): void } }
  const loader = register({ namespace: randomUUID() })
  return {
    load: async (path) => loader.require(path, join(from, 'package.json')),
    close: async () => loader.unregister()
  }
}

async function imported (from: string): Promise<Registry> {
  const { register } = await import(pathToFileURL(findLoader('tsx/esm/api', from)!).href) as { register (options: { namespace: string }): { import (url: string, parent: string): Promise<Exports>, unregister (): Promise<void> } }
  const loader = register({ namespace: randomUUID() })
  return {
    load: async (path) => await loader.import(pathToFileURL(path).href, pathToFileURL(join(from, 'package.json')).href),
    close: async () => await loader.unregister()
  }
}

function isAsync ({ message, code }: Error & { code?: unknown }): boolean {
  return code === 'ERR_REQUIRE_ASYNC_MODULE' || /top-level await/i.test(message)
}
