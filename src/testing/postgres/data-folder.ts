import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chownSync, mkdirSync, statSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'

/** The account that PostgreSQL runs under. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

/** Runs a program to its end as `account`, and returns whether it succeeded. */
export function succeeds (program: string, args: readonly string[], account: Account): boolean {
  return spawnSync(program, args, { ...account, cwd: '/', stdio: 'ignore' }).status === 0
}

/** A short name that is the same for the same text. */
export function shortHash (text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/**
 * Returns the account for a PostgreSQL that keeps its files in `folder`: the caller's own. PostgreSQL refuses to run as root,
 * so root gets the owner of the folder, else `postgres`, else `nobody`. No account is ever created.
 */
export function accountFor (folder: string, { uid, gid } = userInfo()): Account {
  if (uid !== 0) return { uid, gid }
  const owner = statSync(folder)
  if (owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  return accountOf(['postgres', 'nobody'])
}

/**
 * Returns the first of these accounts that exists on this machine.
 *
 * @throws Error when none exists.
 */
export function accountOf (names: readonly string[]): Account {
  for (const name of names) {
    const uid = spawnSync('id', ['-u', name], { encoding: 'utf8' })
    const gid = spawnSync('id', ['-g', name], { encoding: 'utf8' })
    if (uid.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  }
  const missing = names.join(' or ')
  throw new Error(`PostgreSQL refuses to run as root, and there is no account ${missing} to run it: set DATABASE_URL, or start this as an ordinary user`)
}

/**
 * Creates a folder for PostgreSQL's files, and returns it with the account that owns it. When root wants a folder that the other
 * account cannot reach (a clone in `/root`), a folder in the temporary directory is used.
 */
export function prepareFolder (wanted: string): { folder: string, account: Account } {
  // Absolute, because the programs of PostgreSQL run in another working directory.
  const path = resolve(wanted)
  const reachable = prepared(path)
  if (succeeds('test', ['-w', path], reachable.account)) return reachable
  return prepared(join(tmpdir(), `fastify-data-access-${shortHash(path)}`))
}

function prepared (folder: string): { folder: string, account: Account } {
  mkdirSync(folder, { recursive: true })
  const account = accountFor(folder)
  chownSync(folder, account.uid, account.gid)
  return { folder, account }
}
