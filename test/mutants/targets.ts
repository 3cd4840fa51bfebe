import { areas } from './areas.js'
import { equivalents } from './equivalents.js'
import { mutantsOf } from './mutants.js'
import type { SourceFile } from '../house/source-files.js'
import type { Area } from './areas.js'
import type { Mutant } from './plant.js'

/** A file that is mutated. */
export interface Target {
  readonly source: SourceFile
  readonly area: Area
  readonly mutants: readonly Mutant[]
  /** The test files that could notice: whichever noticed last comes first. */
  readonly tests: string[]
}

/** The files of the project that are mutated. */
export function targetsOf (tree: readonly SourceFile[]): Target[] {
  return tree.flatMap((source) => {
    const area = areas.find(({ files }) => files.test(source.path))
    const mutants = area === undefined ? [] : mutantsOf(source)
    if (area === undefined || mutants.length === 0) return []
    return [{ source, area, mutants, tests: tree.map(({ path }) => path).filter((path) => area.tests.test(path)) }]
  })
}

/** The mutants that equivalents.ts lists and that do not exist. */
export function staleEquivalents (targets: readonly Target[]): string[] {
  const mutants = new Set(targets.flatMap(({ mutants }) => mutants.map(({ file, title }) => `${file} ${title}`)))
  return equivalents.flatMap(({ file, titles }) => titles.map((title) => `${file} ${title}`)).filter((name) => !mutants.has(name))
}

/** The areas in which no file is mutated, or that name no test: files may have moved. */
export function staleAreas (targets: readonly Target[]): string[] {
  return areas.filter((area) => !targets.some((target) => target.area === area && target.tests.length > 0)).map(({ files }) => String(files))
}
