/** Runs all tests, or the given ones, with Drizzle 1.0, except those of what only 0.45 and drizzle-kit 0.31 have: `npm run test:drizzle-1`. */
import { spawnSync } from 'node:child_process'

const exceptions = [
  // Programs with the option casing. test/package/upgrade.ts runs realworld with 1.0.
  'examples/**',
  'test/examples/**',
  // Folders and snapshots of drizzle-kit 0.31. migrations.test.ts and generated-changes.test.ts, in this folder, have those of 1.0.
  'test/folders/**',
  'test/src/migrations/cli/command.test.ts',
  'test/src/migrations/misuse.test.ts',
  'test/src/migrations/generate/*.test.ts',
  'test/src/migrations/generate/{kit/kit-031,renames,sql}/*.test.ts'
]

const { status } = spawnSync('npx', ['tap', '--disable-coverage', ...exceptions.map((path) => `--exclude=${path}`), ...process.argv.slice(2)], {
  stdio: 'inherit', env: { DRIZZLE: '1', ...process.env }
})
process.exitCode = status ?? 1
