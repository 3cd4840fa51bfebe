// npm run bench:profile -- --peer ours --endpoint read: see README.md.
import { start } from './start.js'

await start('./runner/profile.js')
