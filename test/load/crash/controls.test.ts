import t from 'tap'
import { controls, tryControl } from './controls.js'

/** The cheap ones; `npm run test:crash -- --controls` tries all. */
const cheap = ["commit: 'onResponse'", 'a statement that never left is forgotten']

for (const control of controls.filter(({ title }) => cheap.includes(title))) {
  t.test(`the crash run finds a server that breaks its promises: ${control.title}`, async (t) => {
    t.match(await tryControl(control, 1), /^after .* (late|lost|half): /)
  })
}

t.equal(controls.filter(({ title }) => cheap.includes(title)).length, cheap.length, 'both exist')
