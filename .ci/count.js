import { readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

/**
 * Prints `<passed> <failed>`: the assertions of a test run, from the raw output of tap and the log of TSTyche.
 *
 * A runner that left no summary died before its end, which is one failure.
 */
const [tapFile, logFile] = process.argv.slice(2)

/** `# { total: 7, pass: 6, fail: 1 }`, where a count of nothing is left out, and skipped or unfinished tests count as failed. */
function countTap (text) {
  const summary = [...text.matchAll(/^# \{ total: (\d+)(.*) \}$/gm)].at(-1)
  if (summary === undefined) return { passed: 0, failed: 1 }
  const passed = Number(/pass: (\d+)/.exec(summary[2])?.[1] ?? 0)
  return { passed, failed: Number(summary[1]) - passed }
}

/** `Assertions: 1 failed, 6 passed, 7 total`, once for each version of Drizzle; the second run does not begin if the first failed. */
function countTypeTests (text) {
  const counts = [...stripVTControlCharacters(text).matchAll(/^Assertions: +(.*?)(\d+) total$/gm)].map(([, counted, total]) => {
    const passed = Number(/(\d+) passed/.exec(counted)?.[1] ?? 0)
    return { passed, failed: Number(total) - passed }
  })
  const passed = counts.reduce((sum, count) => sum + count.passed, 0)
  const failed = counts.reduce((sum, count) => sum + count.failed, 0)
  return { passed, failed: failed === 0 && counts.length < 2 ? 1 : failed }
}

function read (path) {
  try { return readFileSync(path, 'utf8') } catch { return '' }
}

const tests = countTap(read(tapFile))
const typeTests = countTypeTests(read(logFile))
console.log(`${tests.passed + typeTests.passed} ${tests.failed + typeTests.failed}`)
