import { startWorker } from './start-worker.js'

// As many of these as you like, on any machine. Let something start it again when it ends: pg-boss ends the process if the
// database is away at the moment in which a job is done.
const { stop } = await startWorker(process.env['DATABASE_URL'] ?? '')
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stop().then(() => process.exit(), () => process.exit(1)) })
