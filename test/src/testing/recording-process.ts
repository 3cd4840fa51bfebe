/** A test process that records statements, as many of them do at once: each a number of its own, and one that all send. */
import { statementChannel } from '../../../src/channels/channels.js'
import { recordStatements } from '../../../src/testing/index.js'

const [file, name, ending] = process.argv.slice(2)
recordStatements({ file })
const message = (text: string) => ({ database: 'default', text, table: undefined, operation: 'execute', route: 'database', sqlState: undefined })
for (let number = 0; number < 20; number++) {
  for (const text of ['select 1', `select ${name}_${number} from t`]) statementChannel.asyncEnd.publish(message(text) as never)
  await new Promise(setImmediate)
}
// As a runner ends its workers: without an event.
if (ending === 'killed') process.kill(process.pid, 'SIGKILL')
