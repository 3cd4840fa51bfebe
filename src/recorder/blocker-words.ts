import type { Blocking, Holder, Process } from '../activity/activity.js'
import type { OwnProcess } from '../activity/blockings.js'
import type { DeadlockEdge } from './deadlock-processes.js'

/** The most routes, or processes, that are named. */
const mostNamed = 5

/** The most characters of a statement in a sentence. */
const longestText = 200

/** Tells what is known of a process of PostgreSQL. */
export type FindProcess = (processId: number) => OwnProcess | undefined

/** The routes that hold connections, those with the most first; null if none is held. `holders` begins with the one that is held longest. */
export function holderWords (holders: readonly Holder[], find: FindProcess): string | null {
  const routes = [...new Set(holders.map(({ route }) => route))]
  const groups = routes.map((route) => holders.filter((holder) => holder.route === route)).sort((one, other) => other.length - one.length)
  return sentence(groups.map(([longest, ...others]) => {
    const { route, heldMillis, state, texts, processId } = longest as Holder
    const text = texts.join('; ') || (processId === null ? '' : find(processId)?.text ?? '')
    const connections = others.length === 0 ? '1 connection' : `${others.length + 1} connections, the longest`
    return `${route} (${connections} for ${seconds(heldMillis)}, ${state}${statement(text)})`
  }))
}

/** The processes that a process waits for; null if it waits for no lock, or that is not known. */
export function lockWords (blockings: readonly Blocking[] | null, processId: number | null): string | null {
  const blockers = blockings?.filter(({ waiting }) => waiting.processId === processId).flatMap((blocking) => blocking.blockers) ?? []
  return sentence(blockers.map(processWords))
}

/** The processes of a deadlock, from the one that waited for the victim's lock on. */
export function deadlockWords (edges: readonly DeadlockEdge[], victim: number | null, find: FindProcess): string | null {
  const others = edges.filter(({ waiting }) => waiting !== victim).map(({ waiting }) => waiting)
  return sentence(others.map((processId) => {
    const { route = 'another program', text = '' } = find(processId) ?? {}
    return `${route} (process ${processId}${statement(text)})`
  }))
}

function processWords ({ processId, route, application, state, text, millis }: Process): string {
  const name = route ?? (application === '' ? 'another program' : application)
  return `${name} (process ${processId}, ${state} for ${seconds(millis)}${statement(text)})`
}

function sentence (words: readonly string[]): string | null {
  if (words.length === 0) return null
  const rest = words.length - mostNamed
  return [...words.slice(0, mostNamed), ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ')
}

function statement (text: string): string {
  if (text === '') return ''
  return `: ${text.length > longestText ? `${text.slice(0, longestText)} …` : text}`
}

/** A time in words. */
export function seconds (millis: number): string {
  return `${(millis / 1000).toFixed(1)} s`
}
