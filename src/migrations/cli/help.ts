/** The text of `data-access --help`. */
export const overview = `data-access migrate <subcommand> [options]

Writes and runs the migrations of a database. Files stay drizzle-kit's; each has its way back beside it.

  create      write the migration that leads from the newest one to your tables, and its way back
  up          apply what the database does not have yet
  down        undo the newest migration
  status      what is applied, what is pending, what does not fit
  history     what was applied, in order
  current     the newest migration that is applied
  check       whether tables, folder and database fit; changes nothing
  down-files  write the ways back that are missing, of migrations made by drizzle-kit

Options of all
  --config <file>   drizzle-kit's configuration [drizzle.config.ts, .js, .mjs, .cjs, .mts or .json]
  --folder <path>   where the migrations are [the configuration's out, or ./drizzle]. Where it is given, up, down,
                    status, history and current need no configuration, and read only one that is named by --config
  --json            one JSON document on standard output; progress still goes to standard error
  -h, --help        also for each subcommand: data-access migrate up --help
  -v, --version

The database is that of --url, else of the configuration's dbCredentials, else of DATABASE_URL.

Exit codes: 0 done, 1 failed or refused, 2 called in a wrong way, 3 status and check: something is pending or does
not fit, 130 interrupted.

  data-access migrate create -m "add a nickname"
  data-access migrate up
  data-access migrate check --json
`

const database = `  --url <url>            the database; other processes of this machine can see it, DATABASE_URL they cannot
  --table <schema.table> where it is noted what was applied [drizzle.__drizzle_migrations]
`
const locks = `  --lock-timeout <s>     the longest wait for another process that runs migrations [60]
`
const general = `  --config <file>, --folder <path>, --json: data-access --help
`

/** The text of `data-access migrate <subcommand> --help`. */
export const details: Readonly<Record<string, string>> = {
  create: `data-access migrate create -m <message> [options]

Compares your tables with the newest migration, and writes drizzle-kit's files and <tag>.down.sql. What the way back
cannot restore is marked in it. Nothing is written where nothing has changed.

  -m, --message <text>   what it does; the file is named by it
  --empty                empty files, for SQL of your own
  --rename <old=new>     a table, enum, sequence or column that goes on under a new name; may be given several times
  --no-renames           everything that is gone is dropped, everything that is new is made
                         Without both it is asked in a terminal, and refused elsewhere
${general}
  data-access migrate create -m "add a nickname"
  data-access migrate create -m "full names" --rename users.name=users.full_name
  data-access migrate create -m "fill in nicknames" --empty
`,
  up: `data-access migrate up [options]

Applies what the database does not have yet, each file in a transaction of its own. Of several that start at once one
works, and the others wait. Ctrl-C cancels the statement that runs and rolls its file back.

  --to <tag>             the last migration to apply [the newest]
  --dry-run              only tell what would be done
${locks}${database}${general}
  data-access migrate up
  data-access migrate up --to 0003_add_a_nickname --dry-run
`,
  down: `data-access migrate down [options]

Undoes the newest migrations by their files <tag>.down.sql.

  --steps <n>            how many [1]
  --to <tag>             the migration that stays as the newest one; 'nothing' undoes all
  --confirm-irreversible go back although a file says that it cannot restore everything
  --dry-run              only tell what would be done
${locks}${database}${general}
  data-access migrate down
  data-access migrate down --to 0003_add_a_nickname --dry-run
`,
  status: `data-access migrate status [options]

Tells what is applied, what is pending and what does not fit. Exit code 3 unless everything is applied and fits.

${database}${general}
  data-access migrate status
`,
  history: `data-access migrate history [options]

Lists what was applied, in order.

${database}${general}
  data-access migrate history --json
`,
  current: `data-access migrate current [options]

Tells the newest migration that is applied; nothing where there is none.

${database}${general}
  data-access migrate current
`,
  check: `data-access migrate check [options]

Compares tables, folder and database, and tells everything that does not fit. The tables are compared where the
configuration names a schema. Changes nothing. Exit code 3 when there is something, for a pipeline.

${database}${general}
  data-access migrate check --json
`,
  'down-files': `data-access migrate down-files [options]

Writes <tag>.down.sql for each migration that has none, from the snapshots before and after it. Renames are read from
its SQL. What was written by hand has a way back that only its author knows: its file says so, and refuses to run.

${general}
  data-access migrate down-files
`
}
