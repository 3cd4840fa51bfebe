// JSON schemas of requests and replies, as a user of Fastify writes them.

const time = { type: 'string', format: 'date-time' }
const written = {
  name: { type: 'string', minLength: 1 },
  email: { type: 'string' },
  balance: { type: 'integer', minimum: 0 },
  isActive: { type: 'boolean' },
  settings: { type: 'object', additionalProperties: true },
  note: { type: 'string', nullable: true }
}

const account = { type: 'object', properties: { id: { type: 'integer' }, ...written, createdAt: time, updatedAt: time } }
const newAccount = { type: 'object', required: ['name', 'email'], properties: written, additionalProperties: false }
const message = { type: 'object', properties: { message: { type: 'string' } } }
const id = { type: 'object', required: ['id'], properties: { id: { type: 'integer', minimum: 1 } } }
const page = { type: 'object', properties: { limit: { type: 'integer', minimum: 1, maximum: 100, default: 20 } } }

export const none = { response: { 200: { type: 'object', properties: { ok: { type: 'boolean' } } } } }
export const read = { params: id, response: { 200: account, 404: message } }
export const list = { querystring: page, response: { 200: { type: 'array', items: account } } }
export const create = { body: newAccount, response: { 201: account } }
export const createMany = { body: { type: 'array', items: newAccount, maxItems: 1000 }, response: { 201: { type: 'array', items: account } } }

export const update = {
  params: id,
  body: { type: 'object', required: ['note'], properties: { note: { type: 'string' } }, additionalProperties: false },
  response: { 200: account, 404: message, 409: message }
}

export const transfer = {
  body: {
    type: 'object',
    required: ['from', 'to', 'amount'],
    properties: { from: { type: 'integer' }, to: { type: 'integer' }, amount: { type: 'integer', minimum: 1 } },
    additionalProperties: false
  },
  response: { 200: { type: 'object', properties: { from: { type: 'integer' }, to: { type: 'integer' } } }, 409: message }
}
