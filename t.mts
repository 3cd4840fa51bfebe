import { startPostgres } from './src/testing/index.js'
import { writeFileSync } from 'node:fs'
const shm = await startPostgres({ folder: '/dev/shm/pgmut', persistent: false })
writeFileSync('/tmp/pgurl', shm.connectionString)
setInterval(() => {}, 1e6)
