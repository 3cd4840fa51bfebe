import { join } from 'node:path'
import ts from 'typescript'
import { manifest, root } from '../pages.js'

/** One entry point of the package. */
export interface Door {
  /** What a program imports from: `fastify-data-access/core`. */
  readonly name: string
  /** Its source, from the root of the project. */
  readonly file: string
}

/** The entry points that package.json names, the first one first. */
export const doors: readonly Door[] = Object.entries(manifest.exports).flatMap(([path, target]) =>
  target.default === undefined ? [] : [{ name: manifest.name + path.slice(1), file: target.default.replace('./dist/', '').replace(/\.js$/, '.ts') }])

/** A program of all entry points. */
export function openDoors (): ts.Program {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.build.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  return ts.createProgram(doors.map(({ file }) => join(root, file)), { ...options, noEmit: true })
}
