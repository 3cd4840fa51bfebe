import { importTests } from './import-tests.js'

await importTests('rows')
