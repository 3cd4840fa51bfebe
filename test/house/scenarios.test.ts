import t from 'tap'
import { projectRoot, readTree } from './source-files.js'

/** The promised scenarios; test/faults/README.md describes each in a sentence. */
const promised = [...range(1, 83), '14a', '16a', '16b', '16c', '38a', '44a', '44b', ...range(101, 112), ...range(130, 138)]

function range (first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, offset) => String(first + offset))
}

function inOrder (numbers: readonly string[]): string[] {
  return numbers.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

/** The numbers with which titles of tests begin. */
function numbersOf (text: string): string[] {
  return Array.from(text.matchAll(/\btest\(\s*['"`](\d+[a-c]?): /g), ([, number]) => String(number))
}

t.test('every scenario that is promised has a test that begins with its number', async (t) => {
  const tests = readTree(projectRoot).filter(({ path }) => /^test\/.*\.test\.ts$/.test(path))
  const proved = new Set(tests.flatMap(({ text }) => numbersOf(text)))

  t.strictSame(promised.filter((number) => !proved.has(number)), [])
})

t.test('test/faults/README.md has a row for every scenario, in order, and no other', async (t) => {
  const page = String(readTree(projectRoot).find(({ path }) => path === 'test/faults/README.md')?.text)
  const [scenarios = ''] = page.split('\n## Rules\n')
  const rows = Array.from(scenarios.matchAll(/^\| (\d+[a-c]?) \| .+\. \|$/gm), ([, number]) => String(number))
  t.strictSame(rows, inOrder(promised))
})

t.test('a number is read from the beginning of a title only', async (t) => {
  t.strictSame(numbersOf("t.test('7: a'); t.test(`44a: b`); t.test('rule 18: c'); t.test('8 of them: d')"), ['7', '44a'])
})
