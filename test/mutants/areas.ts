/** Files that are mutated, and the tests that must notice. */
export interface Area {
  readonly files: RegExp
  readonly tests: RegExp
}

/** What a session does is seen through all of these. */
const session =
  /^test\/(plugins\/round-trips|src\/session\/(scope|session|transaction|locks|autocommit|together|message-order|commit-answers|row-stream)|src\/(connection\/cancel-until-idle|drizzle\/queries\/drizzle-session|database\/database|testing\/capture-statements)|faults\/(session|scopes|abort|commit))\.test\.ts$/
const streams = /^test\/src\/session\/(row-stream|session)\.test\.ts$/
const reply = /^test\/(plugins\/(transaction|repeating|index)|faults\/(request|before-response|after-response|abort|commit|config|shutdown|process))\.test\.ts$/

/** The first one that fits a file counts. */
export const areas: readonly Area[] = [
  { files: /^src\/runtime\/async-context\.ts$/, tests: /^test\/src\/(runtime\/async-context|session\/scope)\.test\.ts$/ },
  { files: /^src\/drizzle\/queries\//, tests: /^test\/(src\/drizzle\/queries\/.*|faults\/(scopes|session))\.test\.ts$/ },
  { files: /^src\/settings\/transaction-options\.ts$/, tests: /^test\/(src\/(settings\/transaction-options|session\/transaction)|faults\/config)\.test\.ts$/ },
  { files: /^src\/session\/retry\.ts$/, tests: /^test\/(src\/session\/retry|plugins\/request\/retry-handler)\.test\.ts$/ },
  { files: /^src\/session\/(row-stream|streams)\.ts$/, tests: streams },
  { files: /^src\/session\/commit-status\.ts$/, tests: /^test\/(src\/session\/.*|faults\/commit)\.test\.ts$/ },
  { files: /^src\/session\//, tests: session },
  {
    files: /^src\/(connection|pool)\/.*\.ts$/,
    tests: /^test\/(src\/(connection\/.*|pool\/.*|database\/startup|session\/transaction)|faults\/(pool|close|abort|session|network|start))\.test\.ts$/
  },
  { files: /^src\/database\/.*\.ts$/, tests: /^test\/(src\/(database\/.*|session\/.*)|faults\/(close|config|session|pool|start))\.test\.ts$/ },
  { files: /^plugins\/(transaction|request-session|repeating)\.ts$/, tests: reply }
]
