/**
 * Which connections keep a process alive: one for LISTEN that is being closed, but no time limit of an answer that nothing waits for.
 * The argument is the URL of a database.
 */
import { ListenConnection } from '../../../src/listen/listen-connection.js'
import { answerInTime } from '../../../src/pg/answer-in-time.js'
import { holdProcess } from '../../../src/pg/client.js'
import { DatabaseClient } from '../../../src/pg/database-client.js'
import { silentLogger } from '../../../src/runtime/logger.js'
import { ignore } from '../../../src/runtime/promises.js'
import { parseConnectionString } from '../../../src/settings/url/connection-string.js'

const hour = 3_600_000
const config = parseConnectionString(String(process.argv[2]))

const source = { name: 'default', config, needsSession: false, logger: silentLogger }
const listening = new ListenConnection(source, { notified () {}, lost () {} }, { lifeSignMillis: hour, answerMillis: hour })
await listening.open()
await listening.close()
console.log('closed')

const client = new DatabaseClient(config)
await client.connect()
holdProcess(client, false)
answerInTime(client, () => client.query('select pg_sleep(600)'), { timeoutMillis: hour }).catch(ignore)
console.log('asked')
