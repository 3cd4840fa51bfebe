import { readFileSync } from 'node:fs'

/**
 * Prints the assertions that failed, each with the tests that it is in and tap's report of it, from the raw output of tap: its
 * reporters draw on a terminal, and without one they print nothing of a failure.
 */
const [tapFile] = process.argv.slice(2)

/** The longest report of one failure, in lines. */
const mostLines = 40

const lines = readFileSync(tapFile, 'utf8').split('\n')
/** The titles of the tests around a line, by their depth. */
const around = []
/** Tests of which a failed assertion was printed. */
const told = new Set()

for (const [place, line] of lines.entries()) {
  const [, spaces = '', failed, title] = /^( *)(?:(not) ok \d+ - |# Subtest: )(.*)$/.exec(line) ?? []
  if (title === undefined) continue
  const depth = spaces.length / 4
  if (failed === undefined) around.splice(depth, Infinity, title)
  else if (!told.has(pathAt(depth + 1))) {
    console.log(`\nnot ok - ${[...around.slice(0, depth), title].join(' > ')}\n${reportBehind(place, spaces)}`)
    for (let outer = 1; outer <= depth; outer++) told.add(pathAt(outer))
  }
}

function pathAt (depth) {
  return around.slice(0, depth).join('\n')
}

function reportBehind (place, spaces) {
  if (lines[place + 1] !== `${spaces}  ---`) return ''
  const end = lines.indexOf(`${spaces}  ...`, place)
  return lines.slice(place + 2, Math.min(end, place + 2 + mostLines)).map((line) => line.slice(spaces.length)).join('\n')
}
