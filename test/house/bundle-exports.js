/**
 * Prints what published modules export, as JSON: node test/house/bundle-exports.js module ... A name stands for the same thing in each of them, or is
 * among the `split`; a class whose name differs from that of the export is among the `misnamed`.
 */
import { pathToFileURL } from 'node:url'

const known = new Map()
const found = { names: {}, split: [], misnamed: [] }
for (const file of process.argv.slice(2)) {
  const exported = await import(pathToFileURL(file).href)
  found.names[file] = Object.keys(exported)
  for (const [name, value] of Object.entries(exported)) {
    if (name === 'default') continue
    if (known.has(name) && known.get(name) !== value) found.split.push(name)
    known.set(name, value)
    if (/^class\b/.test(String(value)) && value.name !== name) found.misnamed.push(`${name} is called ${value.name}`)
  }
}
console.log(JSON.stringify(found))
