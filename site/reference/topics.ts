import type { Export } from './exports.js'

/** A page of the reference: the exports that are declared in these folders. */
export interface Topic {
  readonly path: string
  readonly title: string
  readonly summary: string
  /** Beginnings of paths. The longest one that fits decides. */
  readonly folders: readonly string[]
  /** The exports with which the page begins. The others follow in the order of their kinds and names. */
  readonly first?: readonly string[]
}

/** The pages of the reference that list exports. */
export const topics: readonly Topic[] = [
  {
    path: 'reference/plugin.md',
    title: 'Plugin and options',
    summary: 'Every option of `register(dataAccess, { … })` and of `openDatabase({ … })`, and each plugin by itself.',
    folders: ['plugins/', 'src/settings/'],
    first: ['dataAccess', 'DataAccessOptions', 'DatabaseOptions', 'PoolOptions', 'RequestTransactionOptions']
  },
  {
    path: 'reference/sessions.md',
    title: 'Databases and sessions',
    summary: 'A database, the sessions in it, their transactions, notifications and jobs.',
    folders: [
      'src/database/', 'src/session/', 'src/settings/transaction-', 'src/statement/', 'src/listen/', 'src/replicas/', 'src/channels/', 'src/runtime/',
      'src/drizzle/types/drizzle-database', 'src/drizzle/types/registered-schema'
    ],
    first: ['Session', 'Scope', 'openDatabase', 'OpenOptions', 'Database', 'TransactionOptions']
  },
  {
    path: 'reference/repositories.md',
    title: 'Repositories and lists',
    summary: 'Every method of a repository, with its options and types.',
    folders: ['src/repository/', 'src/drizzle/types/history-table'],
    first: ['Repository', 'Filter', 'RelatedRepository', 'JsonRepository', 'listQuery']
  },
  {
    path: 'reference/tables.md',
    title: 'Tables and rows',
    summary: 'Columns with a meaning, policies, the audit of a table, and plain functions for rows.',
    folders: ['src/model/', 'src/audit/', 'src/values/']
  },
  { path: 'reference/errors.md', title: 'Every error', summary: 'Each class of errors with its code and its status.', folders: ['src/errors/'] },
  {
    path: 'reference/migrations.md',
    title: 'Migrations from a program',
    summary: 'What `fastify-data-access/migrations` exports.',
    folders: ['src/migrations/', 'src/drizzle/casing']
  },
  { path: 'reference/testing.md', title: 'Tools for tests', summary: 'What `fastify-data-access/testing` exports.', folders: ['src/testing/'] },
  {
    path: 'reference/telemetry.md',
    title: 'OpenTelemetry and Prometheus',
    summary: 'What `fastify-data-access/opentelemetry` and `fastify-data-access/prometheus` export.',
    folders: ['src/opentelemetry/', 'src/prometheus/']
  }
]

/** The page that documents an export. @throws Error if there is none: its folder belongs to one in topics.ts */
export function topicOf ({ name, file }: Export): Topic {
  const fitting = topics.flatMap((topic) => topic.folders.filter((folder) => file.startsWith(folder)).map((folder) => ({ topic, folder })))
  const [best] = fitting.sort((a, b) => b.folder.length - a.folder.length)
  if (best === undefined) throw new Error(`${name} of ${file} belongs to no page of the reference: add its folder to site/reference/topics.ts`)
  return best.topic
}

const kinds = ['class', 'function', 'value', 'interface', 'type'] as const

/** The exports of a page in its order: those it begins with, and then classes and functions before the types that they take. */
export function exportsOf (topic: Topic, exports: readonly Export[]): Export[] {
  const { first = [] } = topic
  const rank = ({ name, kind }: Export): number => first.includes(name) ? first.indexOf(name) : first.length + kinds.indexOf(kind)
  return exports.filter((exported) => topicOf(exported) === topic).sort((a, b) => rank(a) - rank(b))
}
