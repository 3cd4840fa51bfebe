import '../src/drizzle/missing-name.test.js'
import '../src/drizzle/queries/drizzle-queries.test.js'
import '../src/drizzle/queries/drizzle-session.test.js'
import '../src/drizzle/queries/relational-values.test.js'
