/** The packed file with other versions of Drizzle than 0.45: those that npm must refuse, and 1.0. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { serverProject } from './consumer.js'
import { check, compilers, install, run, typeCheck, wanted, write } from './project.js'
import { useExample } from './use-example.js'

const opens = `
import { openDatabase } from 'fastify-data-access/core'

await openDatabase({ connectionString: 'postgresql://127.0.0.1:1/none' }).catch(({ name, message }) => console.log(name + ': ' + message))
`

/** npm refuses a version that is not supported. If a project forces it, the first database that it opens is refused. */
export async function checkRefusedVersions (tarball: string): Promise<void> {
  for (const version of ['0.45.1', '1.0.0-rc.4']) {
    await check(`drizzle-orm ${version} is refused by npm and, if npm is forced, when a database is opened`, async () => {
      const packages = [`drizzle-orm@${version}`, ...wanted('pg')]
      const failure = await install('refused', tarball, packages, '--dry-run').then(() => 'no failure', ({ stderr }: { stderr: string }) => stderr)
      if (!failure.includes('ERESOLVE')) throw new Error(`npm: ${failure}`)
      const folder = await install(`forced-${version}`, tarball, packages, '--legacy-peer-deps')
      write(folder, { 'open.mjs': opens })
      const printed = await run(process.execPath, ['open.mjs'], { cwd: folder })
      if (!printed.includes(`SettingsError: drizzle-orm must be 0.45.2 or a newer 0.45, or 1.0.0-rc.5 or a newer 1.x, but ${version} is installed`)) throw new Error(printed)
    })
  }
}

const notes = {
  'drizzle.config.ts': "import { defineConfig } from 'drizzle-kit'\nexport default defineConfig({ dialect: 'postgresql', schema: './notes.ts', out: './drizzle' })\n",
  'notes.ts': "import { integer, snakeCase, text } from 'drizzle-orm/pg-core'\nexport const notes = snakeCase.table('notes', { id: integer().primaryKey(), wholeText: text().notNull().unique() })\n"
}

/** The server of README.md and the command for migrations, with Drizzle 1.0. */
export async function checkDrizzle1 (tarball: string, connectionString: string): Promise<void> {
  const typescripts = compilers.map((version) => `typescript-${version}@npm:typescript@~${version}.0`)
  const folder = await install('drizzle-1', tarball, [...wanted('drizzle-orm-1', 'drizzle-kit-1', 'tsx', 'pg', 'fastify', '@types/node'), ...typescripts])
  rmSync(join(folder, 'drizzle'), { recursive: true, force: true })
  write(folder, serverProject())
  for (const version of compilers) {
    await check(`the first example of README.md type-checks with Drizzle 1.0 and TypeScript ${version}`, () => typeCheck(folder, version))
  }
  await check('the first example of README.md runs with Drizzle 1.0', () => useExample(join(folder, 'out', 'main.js'), connectionString))
  write(folder, notes)
  const migrate = (...args: string[]) => run('npx', ['--no-install', 'data-access', 'migrate', ...args], { cwd: folder, env: { DATABASE_URL: connectionString } })
  await check('data-access migrate create, up, check and down work with Drizzle 1.0', async () => {
    await migrate('create', '-m', 'notes')
    for (const command of ['up', 'check', 'down']) await migrate(command)
  })
  await check('drizzle-kit 1.0 finds nothing to add to the migration that the command wrote', async () => {
    const printed = await run('npx', ['--no-install', 'drizzle-kit', 'generate'], { cwd: folder })
    if (!printed.includes('No schema changes')) throw new Error(printed)
  })
}
