import t from 'tap'
import { runProgram } from '../../helpers/child.js'

t.test('no deprecated function is used, and Node prints no warning', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, new URL('deprecations.ts', import.meta.url), { node: ['--throw-deprecation', '--trace-warnings'] })
  t.equal(stderr, '')
  t.match(stdout, /the end\n$/)
  t.equal(code, 0)
})
