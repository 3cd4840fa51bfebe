// npm run bench: see README.md, or --help.
import { start } from './start.js'

await start('./runner/run.js')
