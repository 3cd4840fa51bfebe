import t from 'tap'
import { Admission } from '../../../../src/pool/shared/admission.js'
import { lookup } from '../../../helpers/sharing.js'
import type { Shape } from '../../../../src/pool/shared/admission.js'

const statement = lookup('select 1')

/** How many quick answers admit a shape. */
function needed (shape: Shape): number {
  let count = 0
  while (!shape.isAdmitted) {
    shape.quick()
    count++
  }
  return count
}

t.test('a shape is admitted after twenty quick answers, and is that of its text', async (t) => {
  const admission = new Admission()
  const shape = admission.of(statement) as Shape
  t.equal(needed(shape), 20)
  t.equal(admission.of(lookup('select 1')), shape)
  t.equal(admission.known('select 1'), shape)
  t.equal(admission.known('select 2'), undefined)
})

t.test('it is admitted no more when it is slow once, and each time it takes longer to be so again', async (t) => {
  const shape = new Admission().of(statement) as Shape
  const counts = Array.from({ length: 9 }, () => {
    const count = needed(shape)
    shape.slow()
    t.equal(shape.isAdmitted, false)
    return count
  })
  t.same(counts, [20, 40, 80, 160, 320, 640, 1280, 1280, 1280])
})

t.test('a thousand quick answers halve what is needed the next time', async (t) => {
  const shape = new Admission().of(statement) as Shape
  for (let turn = 0; turn < 3; turn++) {
    needed(shape)
    shape.slow()
  }
  t.equal(needed(shape), 160)
  for (let count = 0; count < 2000; count++) shape.quick()
  shape.slow()
  t.equal(needed(shape), 80)
  for (let count = 0; count < 9000; count++) shape.quick()
  shape.slow()
  t.equal(needed(shape), 40, 'twenty are the least')
})

t.test('answers over connections of their own count against a shape when they are late, and much more when they are slow', async (t) => {
  const shape = new Admission().of(statement) as Shape
  for (let count = 0; count < 19; count++) shape.quick()
  shape.overdue(6)
  t.equal(needed(shape), 3)
  shape.overdue(6)
  t.equal(shape.isAdmitted, true, 'on a busy server any statement is late now and then')
  shape.overdue(11)
  for (let count = 0; count < 39; count++) shape.quick()
  shape.overdue(11)
  t.equal(needed(shape), 40)
})
