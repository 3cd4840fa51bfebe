/**
 * Runs all tests, or the given ones, with Drizzle 1.0, except those of what only 0.45 and drizzle-kit 0.31 have: `npm run test:drizzle-1`.
 * Others that do not fit 1.0 are left out by test/together.
 */
import { spawnSync } from 'node:child_process'

// Programs with the option casing (test/package/upgrade.ts runs realworld with 1.0), and folders of drizzle-kit 0.31.
const exceptions = ['examples/**', 'test/examples/**', 'test/folders/**']

const { status } = spawnSync('npx', ['tap', '--disable-coverage', ...exceptions.map((path) => `--exclude=${path}`), ...process.argv.slice(2)], {
  stdio: 'inherit', env: { DRIZZLE: '1', ...process.env }
})
process.exitCode = status ?? 1
