import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { projectRoot, readTree } from './source-files.js'

// A file that no test loads would be missing from the coverage report, and would seem covered.
t.test('every module of src and plugins loads by itself', async (t) => {
  const modules = readTree(projectRoot).filter((file) => /^(src|plugins)\/.*\.ts$/.test(file.path))

  for (const { path } of modules) {
    await t.resolves(import(pathToFileURL(join(projectRoot, path)).href), path)
  }
})
