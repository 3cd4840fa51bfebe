// The changes of a model, there and back over rows, as with drizzle-kit 0.31.
import t from 'tap'
import '../model-based/migrations/trips.test.js'
import '../src/migrations/generate/audit-changes.test.js'
import '../src/migrations/generate/changes/changes.test.js'
import '../src/migrations/generate/changes/dependents.test.js'
import '../src/migrations/generate/kit/texts/texts.test.js'

t.setTimeout(600_000)
