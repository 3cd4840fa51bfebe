#!/usr/bin/env node
import module from 'node:module'

// Keeps compiled code for the next start, in the temporary directory. Node 20 cannot.
module.enableCompileCache?.()
const { runCommand } = await import('../dist/src/migrations/cli/command.js')

// The first Ctrl-C cancels what runs, so that PostgreSQL rolls it back; the second one ends the process at once.
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort())

process.exitCode = await runCommand(process.argv.slice(2), {
  cwd: process.cwd(), env: process.env, stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, signal: stop.signal
})
