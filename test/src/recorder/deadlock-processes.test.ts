import t from 'tap'
import { DatabaseError } from 'pg'
import { DatabaseError as OurError } from '../../../src/index.js'
import { deadlockProcesses } from '../../../src/recorder/deadlock-processes.js'

function deadlock (detail: string | undefined): Error {
  const cause = Object.assign(new DatabaseError('deadlock detected', 0, 'error'), { severity: 'ERROR', code: '40P01', detail })
  return new OurError(undefined, { cause })
}

t.test('reads the processes of a deadlock, and no keys of locks, in each language', async (t) => {
  const edges = [{ waiting: 11, blocker: 22 }, { waiting: 22, blocker: 11 }]
  const details = [
    'Process 11 waits for ShareLock on transaction 7; blocked by process 22.\nProcess 22 waits for ExclusiveLock on advisory lock [5,0,4711,1]; blocked by process 11.',
    'Prozess 11 wartet auf ShareLock-Sperre auf Transaktion 7; blockiert von Prozess 22.\nProzess 22 wartet auf ShareLock-Sperre auf Transaktion 8; blockiert von Prozess 11.'
  ]

  for (const detail of details) t.same(deadlockProcesses(deadlock(detail)), edges)
})

t.test('finds none in an error that names none', async (t) => {
  for (const error of [deadlock(undefined), deadlock('a text'), deadlock('one 1'), new Error('none'), undefined]) t.same(deadlockProcesses(error), [])
})
