import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chownSync, mkdirSync, statSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** The account that PostgreSQL runs under. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

/** Runs a program to its end as `account` and tells whether it succeeded. */
export function succeeds (program: string, args: readonly string[], account: Account): boolean {
  return spawnSync(program, args, { ...account, cwd: '/', stdio: 'ignore' }).status === 0
}

/** A short name that is the same for the same text. */
export function shortHash (text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/**
 * The account for a PostgreSQL that keeps its files in `folder`: the caller's own; and since PostgreSQL refuses to run as root,
 * for root the one that owns the folder already, else `postgres`, else `nobody`. No account is ever created.
 */
export function accountFor (folder: string, { uid, gid } = userInfo()): Account {
  if (uid !== 0) return { uid, gid }
  const owner = statSync(folder)
  if (owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  return accountOf(['postgres', 'nobody'])
}

/**
 * The first of these accounts that exists on this machine.
 *
 * @throws Error when there is none of them.
 */
export function accountOf (names: readonly string[]): Account {
  for (const name of names) {
    const uid = spawnSync('id', ['-u', name], { encoding: 'utf8' })
    const gid = spawnSync('id', ['-g', name], { encoding: 'utf8' })
    if (uid.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  }
  throw new Error(`PostgreSQL refuses to run as root, and there is no account ${names.join(' or ')} to run it: set DATABASE_URL, or start this as an ordinary user`)
}

/**
 * Makes `folder` a place where PostgreSQL can keep its files, and says under which account.
 * Root may have asked for a folder that the other account cannot reach (a clone in `/root`): then it is a folder in the temporary directory.
 */
export function prepareFolder (wanted: string): { folder: string, account: Account } {
  const reachable = prepared(wanted)
  if (succeeds('test', ['-w', wanted], reachable.account)) return reachable
  return prepared(join(tmpdir(), `fastify-data-access-${shortHash(wanted)}`))
}

function prepared (folder: string): { folder: string, account: Account } {
  mkdirSync(folder, { recursive: true })
  const account = accountFor(folder)
  chownSync(folder, account.uid, account.gid)
  return { folder, account }
}
