import { importTests } from './import-tests.js'

await importTests('drizzle-1')
