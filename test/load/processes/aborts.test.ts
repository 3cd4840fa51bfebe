import t from 'tap'
import { runProgram } from '../../helpers/child.js'

t.test('requests aborted at random moments leave exactly the committed rows', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, new URL('aborts.ts', import.meta.url), { node: ['--expose-gc'], args: ['--requests', '1000'] })
  t.equal(code, 0, stderr)
  t.comment(stdout)
})
