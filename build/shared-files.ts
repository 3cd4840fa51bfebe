import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Metafile, Plugin } from 'esbuild'

export interface SharedFilesOptions {
  /** The folder that the paths of the sources are relative to. */
  readonly root: string
  /** The sources, and what each imports. */
  readonly inputs: Metafile['inputs']
  /** The door whose sources are put together, as far as others read them, too. */
  readonly server: string
  /** The door that reads the rest of what is shared. */
  readonly core: string
  /** Doors that read a part of it, the smallest part first. */
  readonly lighter: ReadonlyArray<readonly string[]>
}

/**
 * Puts the sources that the server shares with other doors into few files.
 *
 * esbuild writes a file for each set of doors that read the same sources. Here a source that imports one of a part imports all of the part behind it, so
 * that all have the same set. An import leads to a module of its own, which exports what the source does: neither the sources nor their order change.
 */
export function sharedFiles ({ root, inputs, server, core, lighter }: SharedFilesOptions): Plugin {
  const parts = new Map<string, string>()
  const put = (doors: readonly string[], name: string): void => {
    for (const file of readBy(doors, inputs)) if (ofServer.has(file) && !parts.has(file)) parts.set(file, name)
  }
  const ofServer = readBy([server], inputs)
  lighter.forEach((doors, index) => put(doors, `part ${index}`))
  put([core], 'the rest')
  // A door reads the part as others do.
  parts.delete(core)
  return {
    name: 'shared-files',
    setup ({ onResolve, onLoad }) {
      onResolve({ filter: /^\./ }, ({ path, importer, namespace, kind, resolveDir }) => {
        if (kind !== 'import-statement' || (namespace !== 'file' && namespace !== 'copy')) return undefined
        const file = relative(root, join(resolveDir, path)).replaceAll('\\', '/').replace(/\.js$/, '.ts')
        // It has no code: each of the two doors has its own copy, which is no file more.
        if (file === core) return { path: file, namespace: 'copy' }
        const part = parts.get(file)
        const isWithin = part === undefined || part === parts.get(relative(root, importer).replaceAll('\\', '/'))
        return isWithin ? undefined : { path: file, namespace: 'shared' }
      })
      onResolve({ filter: /^part:/ }, ({ path }) => ({ path: path.slice(5), namespace: 'part' }))
      onResolve({ filter: /^shared:/ }, ({ path }) => ({ path: path.slice(7), namespace: 'shared' }))
      onLoad({ filter: /^/, namespace: 'copy' }, ({ path }) => ({ contents: readFileSync(join(root, path), 'utf8'), loader: 'ts', resolveDir: join(root, dirname(path)) }))
      onLoad({ filter: /^/, namespace: 'shared' }, ({ path }) => ({
        contents: `export * from ${JSON.stringify(`./${path}`)}\nimport ${JSON.stringify(`part:${String(parts.get(path))}`)}`,
        resolveDir: root
      }))
      onLoad({ filter: /^/, namespace: 'part' }, ({ path }) => ({
        contents: [...parts].filter(([, part]) => part === path).map(([file]) => `import ${JSON.stringify(`shared:${file}`)}`).join('\n'),
        resolveDir: root
      }))
    }
  }
}

/** The sources that doors read when they are imported. */
function readBy (doors: readonly string[], inputs: Metafile['inputs']): Set<string> {
  const read = new Set<string>()
  const add = (file: string): void => {
    if (read.has(file)) return
    read.add(file)
    const { imports } = inputs[file] as Metafile['inputs'][string] // each import is an input, too
    for (const { path, kind, external } of imports) if (kind === 'import-statement' && external !== true) add(path)
  }
  doors.forEach(add)
  return read
}
