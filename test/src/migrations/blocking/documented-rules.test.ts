import { readFileSync } from 'node:fs'
import t from 'tap'
import { rules } from '../../../../src/migrations/blocking/rule.js'

t.test('the page lists each rule with its lock, and no other', async (t) => {
  const page = readFileSync(new URL('../../../../docs/migrations-that-do-not-block.md', import.meta.url), 'utf8')
  const rows = Array.from(page.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| `([A-Z ]+)` \|/gm), ([, rule, lock]) => [rule, lock])

  t.strictSame(rows, Object.entries(rules).map(([rule, [, lock]]) => [rule, lock]))
})
