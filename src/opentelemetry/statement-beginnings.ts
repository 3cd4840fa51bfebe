import { statementStart } from './span-attributes.js'
import { summaryOf } from '../figures/statement-attributes.js'
import { GenerationCache } from '../runtime/generation-cache.js'
import type { Attributes } from '@opentelemetry/api'
import type { StatementMessage } from '../channels/messages.js'

/** The name and the attributes with which the span of a statement begins. */
export interface Beginning {
  readonly name: string
  readonly attributes: Attributes
}

/** How many texts are kept at least. */
const size = 500

type Known = Beginning & Pick<StatementMessage, 'database' | 'operation' | 'table' | 'kind' | 'namespace' | 'serverAddress' | 'serverPort'>

/** The beginnings of spans by the text of their statements: a server runs the same statements again and again. */
export class StatementBeginnings {
  readonly #byText = new GenerationCache<Known>(size)

  of (message: StatementMessage): Beginning {
    const { text, database, operation, table, kind, namespace, serverAddress, serverPort } = message
    const known = this.#byText.get(text)
    if (known?.database === database && known.operation === operation && known.table === table && known.kind === kind &&
      known.namespace === namespace && known.serverAddress === serverAddress && known.serverPort === serverPort) return known
    const name = summaryOf(message) ?? 'postgresql' // the conventions' name for a statement of which nothing is known
    const beginning = { name, attributes: statementStart(message), database, operation, table, kind, namespace, serverAddress, serverPort }
    this.#byText.set(text, beginning)
    return beginning
  }
}
