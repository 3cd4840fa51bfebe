/**
 * Which files a test gives coverage to: null is none, an empty list is everything that it loads.
 *
 * The examples run as processes of their own, through another TypeScript loader, whose line numbers
 * would spoil the report. They are tested, and so are their own tests run; all count for nothing.
 * test/drizzle-1/values.test.ts runs the whole of test/values again, and counts for both: without coverage, that takes a quarter less.
 *
 * @param {string} test path of the test file, from the root of the project
 */
export default (test) => /^(examples|test\/(examples|load\/processes|values))\//.test(test) ? null : []
