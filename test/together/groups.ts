/** The files of test/faults about more than one request, by the beginnings of their names. Those about migrations are another group. */
const outages = 'close|config|databases|exhaustion|hosts|leaks|network|pool|replica|schema|shutdown|signals|standby|start'

/**
 * The tests that run in one process each, by their paths: a process of its own would cost each file more than its tests do.
 * Tests that end their process, or that fill it with work of their own, are in no group.
 */
export const groups = {
  connection: /^test\/src\/connection\//,
  'drizzle-1': /^test\/drizzle-1\/(?!(generated-changes|model|repository|sessions|upgrade-matrix|values)\.)/,
  foundations: /^test\/src\/(misuse\.|(activity|audit|channels|database|drizzle|errors|figures|model|opentelemetry|pg|prometheus|recorder|runtime|settings|statement|values)\/)/,
  generate: /^test\/src\/migrations\/generate\//,
  house: /^test\/house\/(?!(loading|types)\.)/,
  load: /^test\/load\/(?!processes\/|crash\/crash\.)/,
  'migration-faults': /^test\/faults\/migrations/,
  migrations: /^test\/src\/(init\/|migrations\/(?!generate\/))/,
  models: /^test\/model-based\/(?!session\/)/,
  outages: new RegExp(`^test/faults/(${outages})`),
  plugins: /^test\/plugins\/((crud|live)\/)?[^/]+$/,
  pool: /^test\/(helpers|src\/(listen|pool|pooler|replicas))\//,
  replies: new RegExp(`^test/faults/(?!migrations|${outages})`),
  requests: /^test\/plugins\/(request|telemetry)\//,
  rows: /^test\/src\/repository\/(?!write|upsert)/,
  session: /^test\/src\/session\//,
  testing: /^test\/src\/testing\/(?!postgres\/)/,
  writes: /^test\/src\/repository\/(write|upsert)\//
}

/** The tests of groups that do not run with Drizzle 1.0: they are about folders and snapshots of drizzle-kit 0.31, and about new services, which use 0.45. */
export const onlyOf045 = /^test\/src\/(init\/service\.|migrations\/(misuse\.|cli\/(command|schemas)\.|generate\/([^/]+$|(kit\/kit-031|renames|sql)\/)))/

/**
 * Tests of groups that do not run with OpenTelemetry's instrumentation of pg around them. It sends its trace context as a statement of its own before each
 * query, `SET application_name`. A scripted PostgreSQL answers exact messages only, a pooler may give the two statements two servers, and a test that counts
 * or delays round trips counts and delays these, too. Connections are not shared beside it.
 */
export const onlyUninstrumented = [
  /^test\/helpers\/transaction-pooler\./,
  /^test\/plugins\/round-trips\./,
  /^test\/src\/pool\/stall-watchdog\./,
  /^test\/src\/(pool\/shared\/shared-(failures|messages|reads)|session\/shared-reads)\./,
  /^test\/src\/pooler\/shared-connections\./,
  /^test\/src\/connection\/(exchange\/(answers|message-order|prepared-statements|statement-names)|never-ran|replacement)\./,
  /^test\/src\/replicas\/server-watch\./,
  /^test\/src\/session\/(together|transaction\/(commit-answers|commit-token|message-order))\./
]
