import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { DatabaseError, ValidationError } from '../../plugins/index.js'
import { people } from './schema.js'

type NewPerson = typeof people.$inferInsert

// Fastify's bodyLimit does not count a body that stays a stream.
const mostLines = 100_000

const cell = (value: string): string => `"${value.replaceAll('"', '""')}"`

/** The persons of some lines, each with the number of its line. */
interface Batch { readonly rows: NewPerson[], readonly lines: number[] }

/** The objects of an NDJSON body, one for each line, at most a thousand at a time. */
async function * batches (body: Readable): AsyncGenerator<Batch> {
  let batch: Batch = { rows: [], lines: [] }
  let line = 0
  for await (const text of createInterface({ input: body, crlfDelay: Infinity })) {
    if (++line > mostLines) throw new ValidationError(`At most ${mostLines} lines can be imported at once`)
    if (text === '') continue
    batch.rows.push(personOf(text, line))
    batch.lines.push(line)
    if (batch.rows.length === 1000) {
      yield batch
      batch = { rows: [], lines: [] }
    }
  }
  if (batch.rows.length > 0) yield batch
}

function personOf (text: string, line: number): NewPerson {
  try {
    const { name, email } = JSON.parse(text)
    if (typeof name === 'string' && typeof email === 'string') return { name, email }
  } catch {}
  throw new ValidationError(`Line ${line} is no person`)
}

/** The same error, about a line of the client and not about a row of its batch. Its status and its code stay. */
function atLine (error: unknown, lines: readonly number[]): unknown {
  if (!(error instanceof DatabaseError) || error.context.row === undefined) return error
  const words = error.message.replace(/^rows\[\d+\]: /, '')
  return Object.assign(error, { message: `Line ${lines[error.context.row]}: ${words}` })
}

export async function routes (server: FastifyInstance) {
  // The body of this type stays a stream.
  server.addContentTypeParser('application/x-ndjson', (_request, body, done) => done(null, body))

  server.get('/people.csv', (request, reply) => {
    const rows = request.repo(people).stream({}, { orderBy: { id: 'asc' } })
    async function * lines () {
      yield 'name,email\n'
      for await (const { name, email } of rows) yield `${cell(name)},${cell(email)}\n`
    }
    reply.type('text/csv').header('content-disposition', 'attachment; filename="people.csv"')
    return reply.send(Readable.from(lines()))
  })

  server.post<{ Body: Readable }>('/people/import', async (request, reply) => {
    let imported = 0
    for await (const { rows, lines } of batches(request.body)) {
      imported += await request.repo(people).createMany(rows, { returning: false }).catch((error: unknown) => { throw atLine(error, lines) })
    }
    reply.code(201)
    return { imported }
  })

  // Each row that is sent is also marked, and the last bytes leave when that is committed.
  server.post('/people/hand-over', { config: { transaction: { commit: 'atEnd' } } }, (request, reply) => {
    async function * lines () {
      for await (const { id, name } of request.repo(people).stream({ handedOver: false }, { orderBy: { id: 'asc' } })) {
        await request.repo(people).update(id, { handedOver: true })
        yield `${JSON.stringify({ id, name })}\n`
      }
    }
    reply.type('application/x-ndjson')
    return reply.send(Readable.from(lines()))
  })

  server.post<{ Body: NewPerson }>('/people/watched', async (request, reply) => {
    const person = await request.repo(people).create(request.body)
    await request.db.commit()                      // before a reply that may last for minutes
    reply.hijack()
    reply.raw.writeHead(201, { 'content-type': 'text/event-stream' })
    reply.raw.write(`event: created\ndata: ${JSON.stringify(person)}\n\n`)
    reply.raw.end('event: done\ndata: {}\n\n')
  })
}
