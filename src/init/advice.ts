import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { membersOf, namedVersion, scriptsFor, versionOf, type Manifest } from './manifest.js'
import type { FoundServer } from './find-server.js'
import type { ServicePlan } from './service-plan.js'

/** The folder of a service, and what init does there. */
export interface Outcome {
  readonly folder: string
  /** The package.json as it was. */
  readonly manifest: Manifest
  readonly plan: ServicePlan
  readonly extension: string
}

/** What the user has to do by hand, one paragraph each. */
export function adviceFor (outcome: Outcome): string[] {
  const { plan: { reasons, server } } = outcome
  return [...reasons.map((reason) => `${reason}.`), ...ignoredFiles(outcome), ...otherScripts(outcome), ...otherVersions(outcome), ...server === undefined ? [] : [linesFor(server, outcome)]]
}

/** The next three commands. */
export function nextCommands ({ manifest, plan, extension }: Outcome): string[] {
  const scripts = scriptsFor(extension)
  const has = membersOf(manifest, 'scripts')
  const command = (name: string, short: string): string => has[name] === undefined || has[name] === scripts[name] ? short : scripts[name]!
  if (plan.pieces.includes('server')) return ['npm install', command('test', 'npm test'), command('start', 'npm start')]
  return ['npm install', command('typecheck', 'npm run typecheck'), command('migrate', 'npm run migrate').replace(/^data-access/, 'npx $&')]
}

/** git must see neither rows nor passwords. */
function ignoredFiles ({ folder, plan }: Outcome): string[] {
  if (!plan.kept.includes('.gitignore')) return []
  const lines = readFileSync(join(folder, '.gitignore'), 'utf8').split('\n').map((line) => line.trim().replace(/^\/|\/$/g, ''))
  const missing = ['node_modules', '.data', '.env'].filter((name) => !lines.includes(name))
  return missing.length === 0 ? [] : [`.gitignore does not name ${missing.join(' and ')}: add ${missing.length === 1 ? 'it' : 'them'}, so that no row and no password is committed.`]
}

function otherScripts ({ manifest, plan, extension }: Outcome): string[] {
  if (!plan.pieces.includes('server')) return []
  const has = membersOf(manifest, 'scripts')
  return Object.entries(scriptsFor(extension)).filter(([name, script]) => has[name] !== undefined && has[name] !== script)
    .map(([name, script]) => `package.json has a script "${name}" of its own. The one of init is: ${script}`)
}

/** Packages whose versions matter, and that package.json names already. */
function otherVersions ({ manifest }: Outcome): string[] {
  return ['fastify', 'drizzle-orm', 'drizzle-kit', 'drizzle-typebox', '@sinclair/typebox', 'pg'].flatMap((name) => {
    const version = namedVersion(manifest, name)
    const fits = versionOf(name)
    return version === undefined || series(version) === series(fits) ? [] : [`package.json names ${name} ${version}. This package is tested with ${fits}.`]
  })
}

/** The first number of a version, and the second one if the first is 0: versions of one series fit each other. */
function series (version: string): string | undefined {
  return /0\.\d+|\d+/.exec(version)?.[0]
}

/** The two lines that connect a server that is there. */
function linesFor ({ path, variable, takesByRequire }: FoundServer, { extension, plan }: Outcome): string {
  // TypeScript with `import` is CommonJS, too, if package.json does not say otherwise.
  const isCommonJs = takesByRequire || (extension === 'mts' && /\.c?ts$/.test(path))
  const up = '../'.repeat(path.split('/').length - 1) || './'
  const schema = `${up}schema.${extension.replace('ts', 'js')}`
  const isOurs = plan.pieces.includes('model')
  const lines = isCommonJs
    ? [`const { default: dataAccess } = await import('fastify-data-access')${isOurs ? `, schema = await import('${schema}')` : ''}`]
    : [`import dataAccess from 'fastify-data-access'${isOurs ? `; import * as schema from '${schema}'` : ''}`]
  lines.push(`await ${variable}.register(dataAccess, { ${isOurs ? "schema, casing: 'snake_case'" : 'schema'} })${isOurs ? '' : '          // schema: your tables'}`)
  const loader = isOurs && path.endsWith('js') ? `\nRun it with node --import tsx ${path}: schema.${extension} is TypeScript.` : ''
  return `${path} makes a Fastify server. Add there${isCommonJs ? ', in an async function' : ''}:\n${lines.map((line) => `  ${line}`).join('\n')}${loader}`
}
