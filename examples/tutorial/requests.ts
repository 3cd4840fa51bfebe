/** What a client may send: a JSON schema for Fastify, and its type, for each request. */

export interface ById { id: number }
export interface NewCustomer { name: string, email: string }
export interface NewInvoice { customerId: number, lines: Array<{ description: string, cents: number }> }

const id = { type: 'integer', minimum: 1, maximum: 2 ** 31 - 1 }
const text = { type: 'string', minLength: 1, maxLength: 200 }

export const byId = { type: 'object', properties: { id } }

export const newCustomer = {
  type: 'object',
  required: ['name', 'email'],
  additionalProperties: false,
  properties: { name: text, email: { ...text, format: 'email' } }
}

export const newInvoice = {
  type: 'object',
  required: ['customerId', 'lines'],
  additionalProperties: false,
  properties: {
    customerId: id,
    lines: {
      type: 'array',
      minItems: 1,
      maxItems: 100,
      items: { type: 'object', required: ['description', 'cents'], additionalProperties: false, properties: { description: text, cents: { type: 'integer' } } }
    }
  }
}
