import t from 'tap'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { projectRoot, readTree } from '../house/source-files.js'
import { groups, onlyOf045, onlyUninstrumented } from './groups.js'

/**
 * Imports the test files of a group, one after the other. Their tests begin after the last import, because an import keeps the process
 * busy for longer than some tests let a request wait.
 */
export async function importTests (group: keyof typeof groups): Promise<void> {
  t.setTimeout(600_000)
  const files = readTree(join(projectRoot, 'test')).map(({ path }) => `test/${path}`).filter((path) => path.endsWith('.test.ts') && groups[group].test(path))
  const excluded = [...(process.env['DRIZZLE'] ? [onlyOf045] : []), ...(process.env['INSTRUMENTED'] ? onlyUninstrumented : [])]
  const fitting = files.filter((path) => !excluded.some((pattern) => pattern.test(path)))
  await t.before(async () => {
    for (const path of fitting) await import(pathToFileURL(join(projectRoot, path)).href)
  })
}
