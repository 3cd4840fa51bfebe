/** Runs the migrations of a folder, for tests that end the process or start several at once: migrate.ts FOLDER. Prints the applied migrations as JSON. */
import { runMigrations } from '../../../src/migrations/index.js'

const [folder] = process.argv.slice(2)
const { applied } = await runMigrations({ folder, onProgress: ({ tag, statement }) => process.stderr.write(`${tag} ${statement}\n`) })
process.stdout.write(JSON.stringify(applied.map(({ tag }) => tag)))
