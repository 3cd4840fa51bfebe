import t from 'tap'
import { staleAreas, staleEquivalents, targetsOf } from '../mutants/targets.js'
import { projectRoot, readTree } from './source-files.js'

t.test('npm run test:mutants knows the files, the tests and the mutants as they are', async (t) => {
  const targets = targetsOf(readTree(projectRoot))
  t.strictSame(staleAreas(targets), [], 'each area has files and tests')
  t.strictSame(staleEquivalents(targets), [], 'each entry of equivalents.ts is a mutant')
})
