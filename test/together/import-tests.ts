import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import t from 'tap'
import { projectRoot, readTree } from '../house/source-files.js'
import { groups } from './groups.js'

/** Imports the test files of a group, one after the other. */
export async function importTests (group: keyof typeof groups): Promise<void> {
  t.setTimeout(300_000)
  const files = readTree(join(projectRoot, 'test')).map(({ path }) => `test/${path}`)
  for (const path of files.filter((path) => path.endsWith('.test.ts') && groups[group].test(path))) {
    await import(pathToFileURL(join(projectRoot, path)).href)
  }
}
