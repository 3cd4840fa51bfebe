/** Files that are mutated, and the tests that must notice. */
export interface Area {
  readonly files: RegExp
  readonly tests: RegExp
}

/** What a session does is seen through all of these. */
const session = new RegExp(`^test/(${[
  'plugins/repository', 'plugins/request/retried-hooks', 'src/session/.*', 'src/(connection/cancels|drizzle/queries/.*|database/database|testing/capture-statements)',
  'faults/(session|session-end|scopes|abort|aborted-statements|commit|replicas)'
].join('|')})\\.test\\.ts$`)
const streams = /^test\/src\/session\/(row-stream|session|aborts-and-callbacks)\.test\.ts$/
const reply = new RegExp(`^test/(${[
  'plugins/(transaction|index|request/.*)',
  'faults/(request|request-timeouts|before-response|error-replies|broken-streams|after-reply|abort|commit|config|shutdown)'
].join('|')})\\.test\\.ts$`)

/** The first one that fits a file counts. */
export const areas: readonly Area[] = [
  { files: /^src\/runtime\/async-context\.ts$/, tests: /^test\/src\/(runtime\/async-context|session\/scope(-queue|-end)?)\.test\.ts$/ },
  { files: /^src\/drizzle\/queries\/.*\.ts$/, tests: /^test\/(src\/drizzle\/queries\/.*|faults\/(scopes|session))\.test\.ts$/ },
  {
    files: /^src\/settings\/transaction-options\.ts$/,
    tests: /^test\/(src\/(settings\/options|session\/transaction\/(transaction|reads-before-begin))|faults\/config)\.test\.ts$/
  },
  { files: /^src\/session\/retry\.ts$/, tests: /^test\/(src\/session\/retry|plugins\/request\/retry-handler)\.test\.ts$/ },
  { files: /^src\/session\/row-stream\.ts$/, tests: streams },
  { files: /^src\/session\/transaction\/commit-status\.ts$/, tests: /^test\/(src\/session\/.*|faults\/commit)\.test\.ts$/ },
  { files: /^src\/session\/.*\.ts$/, tests: session },
  {
    files: /^src\/(connection|pool)\/.*\.ts$/,
    tests: /^test\/(src\/(connection\/.*|pool\/.*|database\/startup|session\/transaction\/transaction)|faults\/(pool|close|abort|aborted-statements|session|network|start))\.test\.ts$/
  },
  { files: /^src\/database\/.*\.ts$/, tests: /^test\/(src\/(database\/.*|session\/.*)|faults\/(close|config|session|pool|start))\.test\.ts$/ },
  { files: /^plugins\/(transaction|request\/.*)\.ts$/, tests: reply }
]
