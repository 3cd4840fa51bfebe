import { describe, expect, test } from 'tstyche'
import { checkMigrations, rollbackMigrations, runMigrations } from '../../src/migrations/index.js'
import type { DroppedRows, Migration, MigrationProblem, MigrationProgress, Rollback } from '../../src/migrations/index.js'
import type { DataAccessOptions, Database } from '../../plugins/index.js'

declare const database: Database

describe('migrations', () => {
  test('have their results', () => {
    expect(runMigrations({ database, to: '0001_posts', dryRun: true })).type.toBe<Promise<{ applied: Migration[] }>>()
    expect(rollbackMigrations({ steps: 2 })).type.toBe<Promise<Rollback>>()
    expect<Rollback>().type.toBe<{ readonly rolledBack: Migration[], readonly lost: readonly DroppedRows[] }>()
    expect(checkMigrations).type.toBeCallableWith()
    expect<Awaited<ReturnType<typeof checkMigrations>>['problems']>().type.toBe<readonly MigrationProblem[]>()
  })

  test('tell a listener what they do', () => {
    runMigrations({ onProgress: (progress) => { expect(progress).type.toBe<MigrationProgress>() } })
  })

  test('refuse what would not be read', () => {
    // @ts-expect-error! 'step' does not exist
    rollbackMigrations({ step: 2 })
    // @ts-expect-error! going back to nothing is said by its name
    rollbackMigrations({ to: null })
    // @ts-expect-error! only a way back can lose something
    runMigrations({ confirmIrreversible: true })
  })
})

describe('migrations at the start of a server', () => {
  test('are options of the plugin', () => {
    expect<DataAccessOptions>().type.toBeAssignableFrom({ migrations: { atStart: 'apply', folder: './drizzle', onUnknown: 'refuse' } } as const)
    expect<DataAccessOptions>().type.not.toBeAssignableFrom({ migrations: { atStart: 'run' } } as const)
  })
})
