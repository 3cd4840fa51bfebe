/** Runs a program's session on PostgreSQL, and records its visible results. */
import { setImmediate as turn } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import { DatabaseError, TransactionAbortedError, TransactionClosedError } from '../../../src/index.js'
import { keyOfCallback } from './interpreter.js'
import { isJoined } from './program.js'
import { secondKeyOffset, show, valueAt } from './prediction.js'
import type { SQL } from 'drizzle-orm'
import type { Client } from 'pg'
import type { Database, Scope, Session } from '../../../src/index.js'
import type { Sight } from './prediction.js'
import type { Body, CallbackKind, Ending, Moment, SessionProgram, StatementStep, Step } from './program.js'

export const cells = pgTable('cells', { id: integer().primaryKey(), value: integer().notNull(), parent: integer() })

/** The table that `alone` writes. */
export const notes = pgTable('notes', { id: integer().primaryKey().generatedAlwaysAsIdentity(), key: integer().notNull() })

export const modelTables = `
  create table cells (id integer primary key, value integer not null, parent integer references cells (id) deferrable initially deferred);
  create table notes (id integer primary key generated always as identity, key integer not null);
`

/** The number of keys of a session. */
export const keySpace = 100
const missingKey = 99

/** The database and the rows of a session. */
export interface Stage {
  readonly database: Database
  /** The id of its row 0. */
  readonly offset: number
  /** Ends a backend; resolves when the pool has noticed. */
  readonly kill: (pid: number) => Promise<void>
}

class Thrown extends Error { override readonly name = 'Thrown' }
class Aborted extends Error { override readonly name = 'Aborted' }

interface Frame {
  readonly scope: Scope
  /** Calls that were not awaited. */
  readonly pending: Array<Promise<unknown>>
  /** Functions that end the nested scopes that the function leaves open. */
  readonly open: Array<() => Promise<unknown>>
}

const circular: { self?: unknown } = {}
circular.self = circular

export class Execution {
  readonly #program: SessionProgram
  readonly #stage: Stage
  readonly #answers = new Map<string, string>()
  readonly #calls: Record<Moment, string[]> = { beforeCommit: [], afterCommit: [], afterRollback: [] }
  #session: Session | undefined

  constructor (program: SessionProgram, stage: Stage) {
    this.#program = program
    this.#stage = stage
  }

  get afterRollback (): readonly string[] { return this.#calls.afterRollback }

  get session (): Session {
    if (this.#session === undefined) throw new Error('The session has not been made yet')
    return this.#session
  }

  abort (): void { this.#session?.abort(new Aborted('the machine wants it')) }

  async run (): Promise<void> {
    const { way, options, body } = this.#program
    const { database } = this.#stage
    const frame: Frame = { get scope () { return session() }, pending: [], open: [] }
    const session = (): Session => this.session
    if (way === 'createSession') {
      this.#session = database.createSession(options)
      await this.#runBody(body, frame, 'b')
      await this.#endByHand()
    } else {
      await this.#note('end', database[way](async (session) => {
        this.#session = session
        await this.#runBody(body, frame, 'b')
        if (body.throws) throw new Thrown()
      }, options))
    }
    await Promise.all(frame.open.map((end) => end()))
    await Promise.all(frame.pending)
  }

  async look (admin: Client): Promise<Sight> {
    const { offset } = this.#stage
    const { rows } = await admin.query<{ id: number, value: number }>('select id, value from cells where id between $1 and $2', [offset, offset + keySpace - 1])
    const { beforeCommit, afterCommit } = this.#calls
    return {
      answers: this.#answers,
      rows: new Map(rows.map(({ id, value }) => [id - offset, value])),
      outcome: this.session.outcome,
      beforeCommit,
      afterCommit
    }
  }

  /** Resolves when this number of callbacks has been called, or no more can be expected. */
  async called (count: number): Promise<void> {
    const deadline = performance.now() + 2000
    const all = (): number => Object.values(this.#calls).flat().length
    while (all() < count && performance.now() < deadline) await turn()
    for (let turns = 0; turns < 5; turns++) await turn()
  }

  async #runBody (body: Body, frame: Frame, path: string): Promise<void> {
    const { steps, leavesOpen } = body
    for (const [position, step] of steps.entries()) {
      // Awaiting undefined would let other work go on.
      const work = this.#step(step, frame, `${path}.${position}`)
      if (work !== undefined) await work
    }
    if (isJoined(body)) await Promise.all(frame.pending)
    if (leavesOpen !== undefined) await this.#leaveOpen(leavesOpen, frame, `${path}.open`)
  }

  /** Returns undefined if the step is not to be awaited. */
  #step (step: Step, frame: Frame, path: string): Promise<unknown> | undefined {
    switch (step.do) {
      case 'statement': return this.#maybeAwait(step.awaited, frame, this.#note(path, this.#statement(step.statement, this.#handle(step, frame), path)))
      case 'scope': return this.#maybeAwait(step.awaited, frame, this.#scope(step.body, this.#handle(step, frame), path))
      case 'callback': return this.#register(step, frame, path)
      case 'rollbackOnly':
        this.#handle(step, frame).rollbackOnly()
        return undefined
      case 'alone': return Promise.all(frame.pending).then(() => this.#stage.database.repo(notes).create({ key: this.#stage.offset + step.key }))
      case 'end': return this.#endEarly(step.how, frame, path)
      case 'kill': return this.#kill(frame)
    }
  }

  #maybeAwait (awaited: boolean, { pending }: Frame, work: Promise<unknown>): Promise<unknown> | undefined {
    pending.push(work)
    return awaited ? work : undefined
  }

  #handle ({ via }: { via: 'scope' | 'session' }, { scope }: Frame): Scope {
    return via === 'scope' ? scope : this.session
  }

  async #note (path: string, work: Promise<unknown>): Promise<string> {
    const answer = await work.then((value) => typeof value === 'string' ? value : 'ok', nameOf)
    this.#answers.set(path, answer)
    return answer
  }

  async #statement (step: StatementStep, scope: Scope, path: string): Promise<unknown> {
    const { offset } = this.#stage
    const value = valueAt(path)
    const id = 'key' in step ? offset + step.key : offset
    const repo = scope.repo(cells)
    switch (step.run) {
      case 'create': return repo.create({ id, value })
      case 'update': return await repo.update(id, { value }) === undefined ? 'none' : 'ok'
      case 'delete': return await repo.delete(id) ? 'ok' : 'none'
      case 'insert': return scope.execute(sql`insert into cells (id, value) values (${id}, ${value})`)
      case 'insertTwo': return scope.execute(sql.raw(`insert into cells (id, value) values (${id}, ${value}); insert into cells (id, value) values (${id + secondKeyOffset}, ${value})`))
      case 'orphan': return scope.execute(sql`insert into cells (id, value, parent) values (${id}, ${value}, ${offset + missingKey})`)
      case 'read': {
        const rows = await repo.filter({ id: { between: [offset, offset + keySpace - 1] } })
        return show(new Map(rows.map(({ id, value }) => [id - offset, value])))
      }
      case 'failingRead': return repo.filter(sql`${cells.id} = 1 / 0`)
      default: return scope.execute(rawText(step))
    }
  }

  async #scope (body: Body, handle: Scope, path: string): Promise<void> {
    const open: Frame['open'] = []
    await this.#note(path, handle.transaction(async (scope) => {
      await this.#runBody(body, { scope, pending: [], open }, path)
      if (body.throws) throw new Thrown()
    }))
    // Scopes that were left open go on when the scope around them is over.
    await Promise.all(open.map((end) => end()))
  }

  async #leaveOpen (body: Body, { scope, open, pending }: Frame, path: string): Promise<void> {
    await Promise.all(pending)
    await new Promise<void>((resolve) => {
      let go: () => void = () => {}
      const gone = new Promise<void>((resolve) => { go = resolve })
      const work = this.#note(path, scope.transaction(async (scope) => {
        const pending: Frame['pending'] = []
        await this.#runBody(body, { scope, pending, open: [] }, path)
        await Promise.all(pending)
        resolve()
        await gone
        await this.#note(`${path}.late`, this.#statement({ run: 'create', key: 50 }, this.session, path))
        if (body.throws) throw new Thrown()
      }))
      work.then(() => resolve())
      open.push(() => { go(); return work })
    })
  }

  #register ({ moment, kind, via }: { moment: Moment, kind: CallbackKind, via: 'scope' | 'session' }, frame: Frame, path: string): undefined {
    try {
      this.#handle({ via }, frame)[moment](() => this.#called({ name: path, moment, kind }))
    } catch (error) {
      this.#answers.set(path, nameOf(error))
    }
  }

  async #called ({ name, moment, kind }: { name: string, moment: Moment, kind: CallbackKind }): Promise<void> {
    const calls = this.#calls[moment]
    calls.push(name)
    if (kind === 'slow') {
      await turn()
      calls.push(`${name} ended`)
    }
    if (kind === 'throw') throw new Thrown()
    if (kind !== 'write' && kind !== 'tryToWrite') return
    const written = this.#statement({ run: 'create', key: keyOfCallback(name) }, this.session, name)
    const answer = await this.#noteOf(name, moment, written)
    if (kind === 'write' && answer !== 'ok') await written
  }

  /** After the end every write is refused; such a refusal is not recorded. */
  async #noteOf (name: string, moment: Moment, written: Promise<unknown>): Promise<string> {
    if (moment === 'beforeCommit') return await this.#note(name, written)
    const answer = await written.then(() => 'ok', nameOf)
    if (answer !== 'refused') this.#answers.set(name, answer)
    return answer
  }

  async #endEarly (how: Ending, frame: Frame, path: string): Promise<void> {
    if (frame.pending.length > 0) await Promise.all(frame.pending)
    if (how !== 'commit') await this.#statement({ run: 'select' }, frame.scope, path).catch(() => {})
    await this.#note(path, this.#end(how))
  }

  async #endByHand (): Promise<void> {
    const { endings, endsInParallel } = this.#program
    const notes: Array<Promise<unknown>> = []
    for (const [position, how] of endings.entries()) {
      const note = this.#note(`end.${position}`, this.#end(how))
      notes.push(note)
      if (!endsInParallel) await note
    }
    await Promise.all(notes)
    // Ends the session in every case.
    await this.session.close()
  }

  #end (how: Ending): Promise<unknown> {
    if (how !== 'abort') return this.session[how]()
    this.abort()
    return this.session.rollback()
  }

  async #kill ({ scope, pending }: Frame): Promise<void> {
    await Promise.all(pending)
    const answer = await scope.execute<{ pid: number }>(rawText({ run: 'select' })).catch(() => undefined)
    for (const { pid } of answer?.rows ?? []) await this.#stage.kill(pid)
  }
}

function rawText (step: StatementStep): SQL {
  switch (step.run) {
    case 'divide': return sql`select 1 / ${0}::int`
    case 'divideText': return sql.raw('select 1 / 0')
    case 'unsendable': return sql`select ${circular}::jsonb`
    case 'endTransaction': return sql.raw(step.text)
    default: return sql.raw('select pg_backend_pid() as pid')
  }
}

function nameOf (error: unknown): string {
  if (error instanceof TransactionClosedError || error instanceof Aborted) return 'refused'
  if (error instanceof TransactionAbortedError && error.cause instanceof DatabaseError) return `TransactionAbortedError: ${error.cause.constructor.name}`
  return error instanceof DatabaseError ? error.constructor.name : (error as Error).name
}
