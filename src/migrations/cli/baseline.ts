import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { describeDatabase, takeOver } from '../baseline/take-over.js'
import { schemaSource } from '../baseline/schema-source.js'
import { installedKit } from '../generate/installed-kit.js'
import { numberOf } from './arguments.js'
import { readConfig, readSchema } from './drizzle-config.js'
import { lines } from './report.js'
import { databaseOf } from './target.js'
import { CommandUsageError } from './usage-error.js'
import type { Values } from './arguments.js'
import type { Config } from './drizzle-config.js'
import type { Report } from './report.js'
import type { Place } from './target.js'

/** The subcommand `baseline`: takes over a database that exists. */
export async function baseline (values: Values, caller: Place): Promise<Report> {
  const config = await readConfig(values.config, caller.cwd)
  const options = { ...databaseOf(values, config, caller), lockTimeoutSeconds: numberOf(values, 'lock-timeout') }
  const file = schemaFileOf(config, caller)
  const description = await describeDatabase(options)
  const { catalog: { tables }, kept } = description
  const isNew = !existsSync(file)
  const written = relative(caller.cwd, file)
  const isDry = values['dry-run'] === true
  const tag = isDry ? undefined : await write()
  const document = {
    ...tag !== undefined && { tag },
    ...isNew && { schemaFile: written },
    tables: tables.map(({ schema, name, kind }) => ({ schema, name, kind })),
    kept: kept.map(({ kind, name, sql }) => ({ kind, name, inMigration: sql !== undefined }))
  }
  const { layout } = installedKit()
  const files = [...isNew ? [written] : [], tag === undefined ? 'the first migration' : `${layout.upFile(tag)}, noted as applied`]
  return {
    document,
    text: lines(`${isDry ? 'Would write' : 'Wrote'} ${files.join(' and ')}`, [
      ...tables.map(({ schema, name, kind }) => `  ${kind.padEnd(12)}  ${schema}.${name}`),
      ...kept.map(({ kind, name, sql }) => `  ${sql === undefined ? 'not written' : 'as SQL'.padEnd(11)}   ${kind} ${name}`)
    ])
  }

  async function write (): Promise<string> {
    if (isNew) {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, schemaSource(description.catalog), { flag: 'wx' })
    }
    try {
      return await takeOver(options, description, { schema: await readSchema(config, caller.cwd), casing: config.casing })
    } catch (error) {
      if (isNew) await rm(file, { force: true }) // so that the command can run again
      throw error
    }
  }
}

/** The file that the configuration names. */
function schemaFileOf ({ schema }: Config, { cwd }: Place): string {
  const pattern = typeof schema === 'string' ? schema : schema?.[0]
  if (pattern === undefined || !/^[^*?{]+\.[cm]?[jt]s$/.test(pattern)) {
    throw new CommandUsageError("migrate baseline needs a configuration that names its schema file: drizzle.config.ts with dialect: 'postgresql', schema: './src/schema.ts' and out: './drizzle'")
  }
  return resolve(cwd, pattern)
}
