/** The supported versions of Node besides the one that runs the checks, from npm. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { emptyProject, run } from './project.js'

/** A Node that was installed from npm. */
export interface OtherNode {
  readonly version: string
  /** Its program. */
  readonly program: string
  /** The environment in which it is the first one on the path. */
  readonly env: Readonly<Record<string, string>>
}

const majors = ['20', '22', '24', '26']

/** Installs the versions of Node that this process is not. */
export async function otherNodes (): Promise<OtherNode[]> {
  const [own] = process.versions.node.split('.')
  return await Promise.all(majors.filter((major) => major !== own).map(async (major) => {
    const name = `node-${process.platform}-${process.arch}`
    const folder = emptyProject(`node-${major}`)
    await run('npm', ['install', '--no-save', '--no-package-lock', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${major}`], { cwd: folder })
    const programs = join(folder, 'node_modules', name, 'bin')
    const program = join(programs, 'node')
    return { version: (await run(program, ['--version'])).trim().slice(1), program, env: { PATH: `${programs}:${process.env['PATH'] ?? ''}` } }
  }))
}

/** @throws an error if the command fails, or leaves no compiled code for its next start. Node 20 cannot keep any. */
export async function checkCompiledCode ({ version, program }: OtherNode, command: string): Promise<void> {
  const folder = emptyProject('compiled')
  const kept = join(folder, 'node-compile-cache')
  rmSync(kept, { recursive: true, force: true })
  await run(program, [command, '--version'], { cwd: folder, env: { TMPDIR: folder } })
  if (!version.startsWith('20.') && !existsSync(kept)) throw new Error(`Node ${version} has kept nothing`)
}
