/** The text of `data-access --help`. */
export const overview = `data-access init [options]
data-access migrate <subcommand> [options]

init makes a running service in an empty folder, or adds to a program what it lacks: data-access init --help

migrate writes and runs the migrations of a database. The files are drizzle-kit's; each has its way back beside it.

  create      write the migration that leads from the newest one to your tables, and its way back
  up          apply the pending migrations
  down        undo the newest migration
  status      show applied and pending migrations, and every difference
  history     list the applied migrations, in order
  current     show the newest applied migration
  check       compare tables, folder and database; changes nothing
  lint        warn of what would block a table in use, with the steps that do not
  down-files  write the missing ways back of migrations made by drizzle-kit
  baseline    take over a database that exists: describe it as tables, and note that as its first migration
  upgrade     move folder and table from drizzle-kit 0.31 to 1.0, or back
  prove       try the statements of the code that runs now on the schema that the pending migrations make

Options of all subcommands of migrate
  --config <file>   drizzle-kit's configuration [drizzle.config.ts, .js, .mjs, .cjs, .mts or .json]
  --folder <path>   the folder of the migrations [the configuration's out, or ./drizzle]. With it, up, down, status,
                    history and current need no configuration, and read one only if --config names it
  --json            one JSON document on standard output; progress still goes to standard error
  -h, --help        also for each subcommand: data-access migrate up --help
  -v, --version

The database is taken from --url, else from the configuration's dbCredentials, else from DATABASE_DIRECT_URL, else
from DATABASE_URL. Credentials that repeat DATABASE_URL do not count. If DATABASE_URL leads to a pooler, set
DATABASE_DIRECT_URL to the server itself: behind a pooler, a file with no-transaction keeps the server's time limits.

Exit codes: 0 done, 1 failed or refused, 2 wrong arguments, 3 status and check: something is pending or differs,
lint: something would block, prove: a statement breaks, 130 interrupted.

  data-access migrate create -m "add a nickname"
  data-access migrate up
  data-access migrate check --json
`

const database = `  --url <url>            the database; other processes of this machine can see this option, but no variable
  --table <schema.table> the table that records the applied migrations [drizzle.__drizzle_migrations]
`
const schemas = `  --schemas <pattern>    run in every schema that matches this pattern of LIKE, one after the other: 'tenant_%'. Each has
                         its own table of applied migrations. A failure in one stops no other; run it again to go on
  --search-path <names>  schemas that follow each of them on the search path, separated by commas: for extensions
`
const checkedSchemas = `  --schemas <pattern>    look at every schema that matches this pattern of LIKE: 'tenant_%'
`
const locks = `  --lock-timeout <s>     the longest wait for another process that runs migrations [60]
`
const general = `  --config <file>, --folder <path>, --json: data-access --help
`

/** The text of `data-access migrate <subcommand> --help`, and of `data-access init --help`. */
export const details: Readonly<Record<string, string>> = {
  init: `data-access init [options]

Makes a service in the current folder: a table, its routes, a migration with its way back, a test and scripts. If the
folder has a program, init adds what is missing, and changes nothing that is there: package.json gets only scripts and
packages that it does not name. It says what it has done, and what is left to do. In a terminal it asks for the name
and the database; elsewhere it asks nothing.

  -y, --yes              ask nothing: the folder's name, and a PostgreSQL that comes from npm
  --name <name>          the name of the service [the folder's]
  --url <url>            the database, written into .env; other processes of this machine can see this option
  --dry-run              only show what would be written; asks nothing
  --json                 one JSON document on standard output

  npx fastify-data-access init --yes
`,
  create: `data-access migrate create -m <message> [options]

Compares your tables with the newest migration, and writes drizzle-kit's files and <tag>.down.sql. The way back lists
what it cannot restore. Statements that would block a table in use are shown, with the steps that do not. If nothing
has changed, nothing is written.

  -m, --message <text>   what the migration does; its files are named after it
  --empty                empty files, for SQL of your own
  --rename <old=new>     a table, enum, sequence or column that was renamed; may be given several times
  --no-renames           nothing was renamed: drop what is gone, create what is new
                         Without both, create asks in a terminal, and refuses elsewhere
${general}
  data-access migrate create -m "add a nickname"
  data-access migrate create -m "full names" --rename users.name=users.full_name
  data-access migrate create -m "fill in nicknames" --empty
`,
  up: `data-access migrate up [options]

Applies the pending migrations, each file in a transaction of its own. If several processes start at once, one works
and the others wait. Ctrl-C cancels the current statement and rolls its file back.

  --to <tag>             the last migration to apply [the newest]
  --dry-run              only show what would be done
${schemas}${locks}${database}${general}
  data-access migrate up
  data-access migrate up --to 0003_add_a_nickname --dry-run
  data-access migrate up --schemas 'tenant_%'
`,
  down: `data-access migrate down [options]

Undoes the newest migrations with their files <tag>.down.sql. The rows of the tables that they drop are counted, and
the values of the columns. If there are any, or if a file says that it cannot restore everything, the command asks in
a terminal, and refuses elsewhere: with --schemas, with --dry-run, in a pipe, and where CI is set.

  --steps <n>            how many migrations to undo [1]
  --to <tag>             the migration that stays as the newest one; 'nothing' undoes all. --schemas needs it
  --confirm-irreversible roll back without a question, whatever is lost
  --dry-run              only show what would be done
${schemas}${locks}${database}${general}
  data-access migrate down
  data-access migrate down --to 0003_add_a_nickname --dry-run
  data-access migrate down --confirm-irreversible
`,
  status: `data-access migrate status [options]

Shows applied and pending migrations, and every difference. Exit code 3 if anything is pending or differs.

${checkedSchemas}${database}${general}
  data-access migrate status
`,
  history: `data-access migrate history [options]

Lists the applied migrations, in order.

${database}${general}
  data-access migrate history --json
`,
  current: `data-access migrate current [options]

Shows the newest applied migration, if there is one.

${database}${general}
  data-access migrate current
`,
  check: `data-access migrate check [options]

Compares tables, folder and database, and shows every difference. The tables are compared if the configuration names
a schema. Changes nothing. Exit code 3 if there is a difference, for a pipeline.

${checkedSchemas}${database}${general}
  data-access migrate check --json
`,
  lint: `data-access migrate lint [file...] [options]

Warns of statements that would block a table in use, with the steps that do not. It looks at the pending migrations, or
at those that are named, as if they were deployed together: nobody uses a table yet that one of them creates. It reads
files, and runs none of their statements. Exit code 3 if something would block, for a pipeline. A comment before a
statement allows a rule, with a reason:

  -- data-access: may-block set-not-null the table has 200 rows

  --all                  every migration of the folder, each by itself; as named files, it needs no database
${database}${general}
  data-access migrate lint
  data-access migrate lint drizzle/0003_full_names.sql
`,
  'down-files': `data-access migrate down-files [options]

Writes <tag>.down.sql for each migration that has none, from the snapshots before and after it. Renames are read from
its SQL. The way back from handwritten SQL is known only to its author: such a file refuses to run until it is written.

${general}
  data-access migrate down-files
`,
  baseline: `data-access migrate baseline [options]

Takes over a database that exists. It writes the configuration's schema file, if there is none, and the first migration,
which makes an empty database like this one. The migration is noted as applied, and does not run: nothing in the
database changes but the table of applied migrations. What Drizzle has no words for (functions, triggers, partitions,
some constraints and indexes, views, …) is listed, and stands in the migration as PostgreSQL's own SQL.
A folder with migrations and a database that has applied some are refused.

  --dry-run              only show what would be written
${locks}${database}${general}
  data-access migrate baseline --dry-run
  data-access migrate baseline
`,
  upgrade: `data-access migrate upgrade [options]

Shows what changes when the folder gets the layout of drizzle-kit 1.0, and with a database also its table of applied
migrations. --write makes the changes; an interrupted upgrade can be run again. It needs drizzle-kit 1.0. The journal
and the former snapshots stay in meta/, for the way back.

  --write                make the changes
  --back                 go back to the layout and the table of drizzle-kit 0.31
${locks}${database}                         Without a database, or with --url '', only the folder is changed
${general}
  data-access migrate upgrade
  data-access migrate upgrade --write
`,
  prove: `data-access migrate prove [options]

Tries the statements of a lock, which recordStatements() of fastify-data-access/testing writes, on the schema that the
pending migrations make: PostgreSQL prepares and plans each of them, and what they write is compared with columns and
constraints. Nothing is run. It makes an empty database on the server of --url or DATABASE_URL, and drops it. Without
them, or with --url '', an embedded PostgreSQL takes it. Exit code 3 if the deployment would break a statement.

  --lock <file>          the statements of the code that runs now [statements.lock]
  --new-lock <file>      the statements of the new code, to try them on the schema of now
  --from <tag>           the newest migration of the schema of now [the one that the lock names, else the newest applied]
  --first <step>         what the deployment does first: migrate, or deploy, which needs --new-lock [migrate]
  --role <name>          the role of the program, to notice privileges that it loses
  --sql <file>           SQL to run before the migrations: roles and extensions that they need and do not create
  --accept <name>        a table, or a column such as users.name, that was looked at; may be given several times
${database}${general}
  git show origin/main:statements.lock > running.lock
  data-access migrate prove --lock running.lock
  data-access migrate prove --lock running.lock --new-lock statements.lock
`
}
