import { Type } from '@sinclair/typebox'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { DatabaseError, ValidationError } from '../../plugins/index.js'

/** A request that is valid and refused. */
export class Refusal extends Error {
  readonly statusCode: number

  constructor (statusCode: number, message: string) {
    super(message)
    this.statusCode = statusCode
  }
}

const gone = { status: 401, message: 'this account is gone' }
const noArticle = { status: 404, message: 'article not found' }

/**
 * What a violated constraint means to a client. The constraints decide, not a SELECT before the INSERT: of two concurrent
 * requests for the same name one succeeds, and the other gets this error.
 */
export const constraints = {
  users_username_unique: { status: 422, message: 'username has already been taken' },
  users_email_unique: { status: 422, message: 'email has already been taken' },
  follows_follower_id_users_id_fk: gone,
  articles_author_id_users_id_fk: gone,
  favorites_user_id_users_id_fk: gone,
  comments_author_id_users_id_fk: gone,
  favorites_article_id_articles_id_fk: noArticle,
  comments_article_id_articles_id_fk: noArticle
}

/** The body of every error. */
export const errorBody = Type.Object({ errors: Type.Object({ body: Type.Array(Type.String()) }) })

/** Answers every error as `{ errors: { body: […] } }`. */
export function answerError (error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  const status = error.validation || error instanceof ValidationError ? 422 : error.statusCode ?? 500
  if (status >= 500) request.log.error({ err: error }, error.message)
  else request.log.info({ err: error }, error.message)
  if (error instanceof DatabaseError) reply.headers(error.headers)
  // Internal errors are for the log. Messages of database errors are safe to show.
  const shown = status < 500 || error instanceof DatabaseError ? messagesOf(error) : ['something went wrong']
  return reply.code(status).send({ errors: { body: shown } })
}

function messagesOf ({ validation, message }: FastifyError): string[] {
  return validation?.map(({ instancePath, keyword, message = 'is invalid' }) =>
    `${instancePath.split('/').at(-1) || 'body'} ${keyword === 'minLength' ? "can't be blank" : message}`) ?? [message]
}
