/** Routes that write two rows: the hook writes the audit row, the handler the other one. */
import { Repository } from '../../../plugins/index.js'
import { subjectsOf } from './operations.js'
import { few, lefts, rights } from './tables.js'
import { countUp, idOf, ignoreDuplicate } from './work.js'
import type { FastifyRequest } from 'fastify'
import type { Session } from '../../../plugins/index.js'
import type { OwnRoute } from './work.js'

/** Rows for which the repository writes the other row after they are created. */
class AuditedLefts extends Repository.of(lefts) {
  protected override async afterCreate ({ id }: { readonly id: number }): Promise<void> {
    await this.session.repo(rights).create({ id, parent: id })
  }
}

/** Rows for which the repository writes the other row before they are created. */
class AnnouncedLefts extends Repository.of(lefts) {
  protected override async beforeCreate ({ id }: { readonly id: number }): Promise<void> {
    await this.session.repo(rights).create({ id, parent: id })
  }
}

const auditCount = async (request: FastifyRequest): Promise<void> => {
  const id = idOf(request)
  await request.repo(rights).create({ id, parent: id, counter: subjectsOf(id, few).counter })
}

const createLeft = (session: Session, id: number): Promise<unknown> => session.repo(lefts).create({ id })

/** Counts so slowly that concurrent calls conflict. */
const collide = async (session: Session, id: number): Promise<void> => {
  await countUp(session, subjectsOf(id, few).counter, { pauseMillis: 40 })
  await createLeft(session, id)
}

const repeated = { isolationLevel: 'serializable', retries: 3 } as const

export const hookRoutes: Readonly<Record<string, OwnRoute>> = {
  hookBefore: {
    hooks: {
      async onRequest (request) {
        await request.repo(lefts).create({ id: idOf(request) })
      }
    },
    work: (session, id) => session.repo(rights).create({ id, parent: id })
  },
  hookBehind: {
    hooks: {
      async onSend (request, reply, payload) {
        // An error also has a reply.
        const id = idOf(request)
        if (reply.statusCode < 400) await request.repo(rights).create({ id, parent: id })
        return payload
      }
    },
    work: createLeft
  },
  // The handler cannot be repeated without the row of its hook.
  hookRepeated: { hooks: { preHandler: auditCount }, transaction: repeated, work: collide },
  hookPromised: {
    hooks: {
      async preHandler (request) {
        request.db.beforeCommit(() => auditCount(request))
      }
    },
    transaction: repeated,
    work: collide
  },
  audited: { work: (session, id) => session.repo(AuditedLefts).create({ id }) },
  // The row exists already: the row that the hook wrote is undone with it.
  announced: {
    async work (session, id) {
      await createLeft(session, id)
      await session.repo(AnnouncedLefts).create({ id }).catch(ignoreDuplicate)
    }
  }
}
