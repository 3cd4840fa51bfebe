import ts from 'typescript'
import { readMembers, signatureOf } from './members.js'
import type { Docs } from './docs.js'
import type { Export } from './exports.js'
import type { Member } from './members.js'

/** Where the reference documents each export, as `/reference/sessions.md#Session`, and the first sentence about it. */
export type Places = ReadonlyMap<string, { readonly link: string, readonly sentence: string }>

/** Whether its members need a heading each: those of a class have texts of their own. */
function hasHeadings ({ kind }: Export, members: readonly Member[]): boolean {
  return kind === 'class' || members.some(({ isMethod, docs }) => isMethod && docs.examples.length > 0)
}

/** The section of one export. */
export function writeExport (exported: Export, checker: ts.TypeChecker, places: Places): string {
  const { name, kind, doors, docs } = exported
  const members = readMembers(exported, checker)
  const from = doors.map((door) => `\`${door}\``).join(', ')
  return [
    `## ${name} {#${name}}`,
    `${kind[0]?.toUpperCase()}${kind.slice(1)} of ${from}`,
    withLinks(docs.text, places),
    fence(declarationOf(exported, checker, members)),
    ...aboutCalls(docs, places),
    ...hasHeadings(exported, members) ? members.map((member) => writeMember(exported, member, places)) : [tableOf(members, places)],
  ].filter((part) => part !== '').join('\n\n')
}

function writeMember ({ name: owner }: Export, { name, isMethod, isStatic, isProtected, signatures, docs }: Member, places: Places): string {
  const words = [isStatic ? 'Static' : '', isProtected ? 'For subclasses' : ''].filter((word) => word !== '').join(', ')
  return [
    `### ${owner}.${name}${isMethod ? '()' : ''} {#${owner}.${name}}`,
    words,
    withLinks(docs.text, places),
    fence(isMethod ? signatures.join('\n') : `${name}: ${signatures[0] ?? ''}`),
    ...aboutCalls(docs, places)
  ].filter((part) => part !== '').join('\n\n')
}

/** What follows a signature: parameters, results, errors, the default, examples. */
function aboutCalls ({ parameters, returns, throws, defaultValue, deprecated, examples }: Docs, places: Places): string[] {
  const lines = [
    ...deprecated === undefined ? [] : [`- Deprecated: ${deprecated}`],
    ...defaultValue === undefined ? [] : [`- Default: ${defaultValue}`],
    ...parameters.map((text) => `- ${text.replace(/^(\w+)\s*(?:- )?/, '`$1`: ')}`),
    ...returns === undefined ? [] : [`- Returns: ${returns}`],
    ...throws.map((text) => `- Throws ${text.replace(/^\{?(\w+)\}?/, '`$1`')}`)
  ]
  return [lines.map((line) => withLinks(line.replace(/\n+/g, ' '), places)).join('\n'), ...examples.map((example) => example.includes('```') ? example : fence(example))]
}

/** The members of an options object: a row each, with its type and its default. */
function tableOf (members: readonly Member[], places: Places): string {
  if (members.length === 0) return ''
  const hasDefaults = members.some(({ docs }) => docs.defaultValue !== undefined)
  const rows = members.map(({ name, isOptional, signatures, docs }) => {
    const type = signatures.map((text) => code(text)).join('<br>')
    const throwing = docs.throws.map((text) => ` Throws ${text.replace(/^\{?(\w+)\}?/, '`$1`')}.`).join('')
    const meaning = [withLinks(oneLine((docs.text === '' ? aboutType(signatures, places) : docs.text) + throwing), places), seeAlso(signatures, places)].filter((part) => part !== '').join(' ')
    return [`\`${name}${isOptional ? '?' : ''}\``, type, ...hasDefaults ? [oneLine(docs.defaultValue ?? '')] : [], meaning].map(cell).join(' | ')
  })
  const head = ['name', 'type', ...hasDefaults ? ['default'] : [], 'meaning']
  return [head.join(' | '), head.map(() => '---').join(' | '), ...rows].map((row) => `| ${row} |`).join('\n') +
    members.flatMap(({ name, docs }) => docs.examples.map((example) => `\n\nFor example \`${name}\`:\n\n${example}`)).join('')
}

/** The first sentence about the export that is the type of a member, for one that says nothing itself. */
function aboutType ([type = '']: readonly string[], places: Places): string {
  return places.get(/^[\w.]+/.exec(type)?.[0] ?? '')?.sentence ?? ''
}

/** Links to the exports that a type names. */
function seeAlso (signatures: readonly string[], places: Places): string {
  const names = new Set(signatures.flatMap((text) => text.match(/\b[A-Z]\w+\b/g) ?? []).filter((name) => places.has(name)))
  return names.size === 0 ? '' : `See ${[...names].map((name) => linkTo(name, places)).join(', ')}.`
}

function declarationOf ({ name, kind, symbol, declaration }: Export, checker: ts.TypeChecker, members: readonly Member[]): string {
  if (kind === 'function') {
    const all = (symbol.declarations ?? []).filter((one): one is ts.FunctionDeclaration => ts.isFunctionDeclaration(one))
    const overloads = all.filter(({ body }) => body === undefined)
    return (overloads.length > 0 ? overloads : all).map((one) => signatureOf(one)).join('\n')
  }
  if (kind === 'value') return valueOf(name, declaration, checker)
  const text = declaration.getText().replace(/^export (default )?/, '')
  if (kind === 'type') return members.length > 0 && text.length > 400 ? `type ${name} = { … }` : text
  const head = text.slice(0, text.indexOf('{', headOf(declaration))).trim()
  return head === `${kind} ${name}` ? '' : head
}

/** Where the name, the type parameters and what it extends end. */
function headOf (declaration: ts.Declaration): number {
  const { typeParameters, heritageClauses, name } = declaration as ts.ClassDeclaration
  const last = heritageClauses?.at(-1)?.end ?? typeParameters?.end ?? name?.end ?? declaration.getStart()
  return Math.max(0, last - declaration.getStart() - 'export '.length)
}

function valueOf (name: string, declaration: ts.Declaration, checker: ts.TypeChecker): string {
  const type = checker.getTypeAtLocation(declaration)
  const text = checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation)
  return `const ${name}: ${text}`
}

function fence (text: string): string {
  return text === '' ? '' : `\`\`\`ts\n${text}\n\`\`\``
}

function code (text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.includes('`') ? `\`\` ${line} \`\`` : `\`${line}\``
}

function cell (text: string): string {
  return text.replaceAll('|', '\\|')
}

function oneLine (text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** `{@link Session.commit}` becomes a link, or code if the reference does not have it. */
export function withLinks (text: string, places: Places): string {
  return text.replace(/\{@link\s+([\w.]+)(?:\s*\|\s*([^}]+))?\s*\}/g, (_whole, target: string, words?: string) => linkTo(target, places, words?.trim()))
    .replace(/(?<!\[)`([A-Z]\w+)`(?!\])/g, (whole, name: string) => places.has(name) ? linkTo(name, places) : whole)
}

function linkTo (target: string, places: Places, words = `\`${target}\``): string {
  const [owner = '', member] = target.split('.')
  const place = places.get(owner)
  return place === undefined ? words : `[${words}](${place.link}${member !== undefined && places.has(target) ? `.${member}` : ''})`
}
