import t from 'tap'
import { addMembers, type Members } from '../../../src/init/add-members.js'

const cases: ReadonlyArray<readonly [title: string, before: string, members: Members, after: string]> = [
  [
    'members come behind the last one, with the indentation of the document',
    '{\n    "scripts": {\n        "a": "x"\n    },\n    "z": [1, { "scripts": {} }]\n}\n', { scripts: { b: 'y', c: 'z' } },
    '{\n    "scripts": {\n        "a": "x",\n        "b": "y",\n        "c": "z"\n    },\n    "z": [1, { "scripts": {} }]\n}\n'
  ],
  [
    'an object that is missing comes behind the last one',
    '{\n\t"name": "a"\n}', { scripts: { b: 'y' }, dependencies: { pg: '^8' } },
    '{\n\t"name": "a",\n\t"scripts": {\n\t\t"b": "y"\n\t},\n\t"dependencies": {\n\t\t"pg": "^8"\n\t}\n}'
  ],
  [
    'an empty object gets its members on lines of their own',
    '{\n  "scripts": {},\n  "name": "a"\n}\n', { scripts: { b: 'y' } },
    '{\n  "scripts": {\n    "b": "y"\n  },\n  "name": "a"\n}\n'
  ],
  ['an empty document gets lines', '{}\n', { scripts: { b: 'y' } }, '{\n  "scripts": {\n    "b": "y"\n  }\n}\n'],
  ['one line stays one line', '{"scripts":{"a":"x"}}', { scripts: { b: 'y' }, more: { c: 'z' } }, '{"scripts":{"a":"x", "b": "y"}, "more": { "c": "z" }}'],
  [
    'an object on one line stays there',
    '{\n  "scripts": { "a": "x" }\n}\n', { scripts: { b: 'y' } },
    '{\n  "scripts": { "a": "x", "b": "y" }\n}\n'
  ],
  [
    'line breaks of Windows stay, and the new ones are like them',
    '{\r\n  "scripts": {\r\n    "a": "x"\r\n  }\r\n}\r\n', { scripts: { b: 'y' } },
    '{\r\n  "scripts": {\r\n    "a": "x",\r\n    "b": "y"\r\n  }\r\n}\r\n'
  ],
  [
    'braces and keys inside texts are texts',
    '{\n  "name": "scripts\\": {",\n  "scr\\u0069pts": {\n    "a": "}",\n    "b": ":"\n  }\n}\n', { scripts: { c: '"' } },
    '{\n  "name": "scripts\\": {",\n  "scr\\u0069pts": {\n    "a": "}",\n    "b": ":",\n    "c": "\\""\n  }\n}\n'
  ],
  ['no members change nothing', '{ "a" : 1 }', { scripts: {} }, '{ "a" : 1 }']
]

for (const [title, before, members, after] of cases) {
  t.test(title, async (t) => {
    const result = addMembers(before, members)

    t.equal(result, after)
    t.doesNotThrow(() => JSON.parse(result))
  })
}
