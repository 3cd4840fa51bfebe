import { Type } from '@sinclair/typebox'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import dataAccess from 'fastify-data-access'
import Fastify, { type FastifyServerOptions } from 'fastify'
import * as schema from './schema.js'
import { newNote, note, noteChanges, noteId, notes, page } from './schema.js'

// Drizzle's own queries, request.db.drizzle.query.notes, get their types from here.
declare module 'fastify-data-access' {
  interface Register { schema: typeof schema }
}

/**
 * The server, ready to listen, or for `inject` in a test. Without a connection string it uses DATABASE_URL.
 * Each request is one transaction: it is committed before the reply leaves, and an error rolls all of it back.
 */
export async function buildServer (connectionString?: string, options: FastifyServerOptions = {}) {
  // A property that no schema names is a 400: Fastify would drop it without a word.
  const server = Fastify({ ajv: { customOptions: { removeAdditional: false } }, ...options }).withTypeProvider<TypeBoxTypeProvider>()
  await server.register(dataAccess, { connectionString, schema, casing: 'snake_case' })

  server.get('/notes', { schema: { querystring: page, response: { 200: Type.Array(note) } } },
    (request) => request.repo(notes).getAll({ ...request.query, orderBy: { id: 'desc' } }))

  server.get('/notes/:id', { schema: { params: noteId, response: { 200: note } } },
    (request) => request.repo(notes).getOrThrow(request.params.id))

  server.post('/notes', { schema: { body: newNote, response: { 201: note } } },
    async (request, reply) => reply.code(201).send(await request.repo(notes).create(request.body)))

  server.patch('/notes/:id', { schema: { params: noteId, body: noteChanges, response: { 200: note } } },
    (request) => request.repo(notes).updateOrThrow(request.params.id, request.body))

  server.delete('/notes/:id', { schema: { params: noteId, response: { 204: Type.Null() } } }, async (request, reply) => {
    await request.repo(notes).deleteOrThrow(request.params.id)
    return reply.code(204).send(null)
  })

  return server
}
