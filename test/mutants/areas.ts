/** Files that are mutated, and the tests that must notice. */
export interface Area {
  readonly files: RegExp
  readonly tests: RegExp
}

/** What a session does is seen through all of these. */
const session = /^test\/(plugins\/round-trips|src\/session\/(scope|session|transaction|locks|plain|together|message-order|commit-answers|drizzle|row-stream|interrupt)|src\/(database|testing\/statements)|faults\/(session|scopes|abort|commit))\.test\.ts$/
const streams = /^test\/src\/session\/(row-stream|session)\.test\.ts$/
const reply = /^test\/(plugins\/(transaction|repeating|index)|faults\/(request|before-response|after-response|abort|commit|config|shutdown|process))\.test\.ts$/

/** The first one that fits a file counts. */
export const areas: readonly Area[] = [
  { files: /^src\/session\/async-context\.ts$/, tests: /^test\/src\/session\/(async-context|scope)\.test\.ts$/ },
  { files: /^src\/session\/drizzle\.ts$/, tests: /^test\/(src\/session\/drizzle|faults\/(scopes|session))\.test\.ts$/ },
  { files: /^src\/session\/options\.ts$/, tests: /^test\/(src\/session\/(options|transaction)|faults\/config)\.test\.ts$/ },
  { files: /^src\/session\/retry\.ts$/, tests: /^test\/(src\/session\/retry|plugins\/repeating)\.test\.ts$/ },
  { files: /^src\/session\/(row-stream|streams)\.ts$/, tests: streams },
  { files: /^src\/session\/fate\.ts$/, tests: /^test\/(src\/session\/.*|faults\/commit)\.test\.ts$/ },
  { files: /^src\/session\//, tests: session },
  { files: /^src\/(connection\/.*|pool)\.ts$/, tests: /^test\/(src\/(connection\/.*|pool|start|session\/transaction)|faults\/(pool|close|abort|session|network|start))\.test\.ts$/ },
  { files: /^src\/database\.ts$/, tests: /^test\/(src\/(database|session\/.*|start|health)|faults\/(close|config|session|pool|start))\.test\.ts$/ },
  { files: /^plugins\/(transaction|request-session|repeating)\.ts$/, tests: reply }
]
