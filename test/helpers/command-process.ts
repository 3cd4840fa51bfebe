/** The command of the package as a process of its own. bin/data-access.js is the same for the published JavaScript. */
import { runCommand } from '../../src/migrations/cli/command.js'

process.exitCode = await runCommand(process.argv.slice(2), {
  cwd: process.cwd(), env: process.env, stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, signal: new AbortController().signal
})
