/** Routes whose left row, the audit, is written by a hook, and whose right row by the handler, or the other way round. */
import { Repository } from '../../plugins/index.js'
import { count, idOf, ignoreDuplicate } from './work.js'
import { lefts, rights } from './tables.js'
import type { FastifyRequest } from 'fastify'
import type { Session } from '../../plugins/index.js'
import type { OwnRoute } from './work.js'

/** Rows that are written down elsewhere as well, by a hook of their own. */
class AuditedRights extends Repository.of(rights) {
  protected override async afterCreate ({ id }: { readonly id: number }): Promise<void> {
    await this.session.repo(lefts).create({ id })
  }
}

const audit = async (request: FastifyRequest): Promise<void> => { await request.repo(lefts).create({ id: idOf(request) }) }
const createRight = (session: Session, id: number): Promise<unknown> => session.repo(rights).create({ id, parent: id })
const repeated = { isolationLevel: 'serializable', retries: 3 } as const

export const hookRoutes: Readonly<Record<string, OwnRoute>> = {
  hookBefore: { hooks: { onRequest: audit }, work: createRight },
  hookBehind: {
    hooks: {
      // An error has a reply as well.
      async onSend (request, reply, payload) {
        if (reply.statusCode < 400) await audit(request)
        return payload
      }
    },
    work: createRight
  },
  // It collides with others, and cannot be repeated without the row of its hook.
  hookRepeated: { hooks: { preHandler: audit }, transaction: repeated, work: (session, id) => count(session, id) },
  hookPromised: {
    hooks: {
      async preHandler (request) {
        request.db.beforeCommit(() => audit(request))
      }
    },
    transaction: repeated,
    work: (session, id) => count(session, id)
  },
  audited: { work: (session, id) => session.repo(AuditedRights).create({ id, parent: id }) },
  // The audit is there already: the row that cannot be audited is undone with it.
  auditRefused: {
    async work (session, id) {
      await session.repo(lefts).create({ id })
      await session.repo(AuditedRights).create({ id, parent: id }).catch(ignoreDuplicate)
    }
  }
}
