import swagger from '@fastify/swagger'
import { sql } from 'drizzle-orm'
import { bigint, boolean, integer, jsonb, numeric, pgTable, text, varchar } from 'drizzle-orm/pg-core'
import t from 'tap'
import { Repository, crud, softDelete, version } from '../../../plugins/index.js'
import { seeded } from '../../load/crash/random.js'
import { build } from '../../helpers/server.js'
import { complaintsAbout } from './openapi.js'
import type { PgColumnBuilderBase } from 'drizzle-orm/pg-core'
import type { InjectOptions } from 'fastify'
import type { Random } from '../../load/crash/random.js'
import type { Test } from '../../helpers/test.js'

/** A type of column, and a value of it that no other column has. */
interface Kind {
  readonly sql: string
  readonly builder: (name: string) => PgColumnBuilderBase
  readonly value: (mark: number) => unknown
  /** The value in JSON. */
  readonly json: (mark: number) => unknown
  readonly isText: boolean
}

const kinds: readonly Kind[] = [
  { sql: 'text', builder: (name) => text(name).notNull(), value: (mark) => `mark${mark}x`, json: (mark) => `mark${mark}x`, isText: true },
  { sql: 'varchar(14)', builder: (name) => varchar(name, { length: 14 }).notNull(), value: (mark) => `v${mark}x`, json: (mark) => `v${mark}x`, isText: true },
  { sql: 'integer', builder: (name) => integer(name).notNull(), value: (mark) => mark, json: (mark) => mark, isText: false },
  { sql: 'bigint', builder: (name) => bigint(name, { mode: 'bigint' }).notNull(), value: (mark) => BigInt(mark) * 1000n, json: (mark) => `${mark}000`, isText: false },
  { sql: 'numeric', builder: (name) => numeric(name).notNull(), value: (mark) => `${mark}.5`, json: (mark) => `${mark}.5`, isText: false },
  { sql: 'jsonb', builder: (name) => jsonb(name).notNull(), value: (mark) => ({ deep: [mark] }), json: (mark) => ({ deep: [mark] }), isText: false }
]

interface Column {
  readonly key: string
  readonly name: string
  readonly kind: Kind
  readonly isHidden: boolean
  /** The digits of its values. */
  readonly mark: number
}

let marks = 715_000_000

function randomColumns (random: Random): Column[] {
  return Array.from({ length: 3 + random.below(4) }, (_, place) => {
    const mark = marks += 1111
    const isHidden = place > 0 && random.below(2) === 0
    return { key: `${isHidden ? 'veiled' : 'plain'}${mark}`, name: `${isHidden ? 'sqlveiled' : 'sqlplain'}_${mark}`, kind: kinds[random.below(kinds.length)] as Kind, isHidden, mark }
  })
}

const some = <Item> (random: Random, items: readonly Item[]): Item[] => items.filter(() => random.below(2) === 0)

/** Whether the hook gives the hidden columns values that do not fit. */
let breaks: 'nothing' | 'null' | 'type' | 'length' = 'nothing'

async function attempt (t: Test, seed: number): Promise<string[]> {
  const random = seeded(seed)
  const columns = randomColumns(random)
  const format = (['fastify', 'envelope', 'problem'] as const)[random.below(3)] as 'fastify'
  const server = await build(t, {
    errors: { format },
    before: async (server) => {
      await server.register(swagger, { openapi: { openapi: ['3.0.3', '3.1.0'][random.below(2)] as string, info: { title: 'T', version: '1' } } })
    }
  })
  await server.db.execute(sql.raw(`create table "veiledtable" (id integer primary key generated always as identity, flag boolean, "deletedAt" timestamptz(3), version integer not null default 1,
    ${columns.map(({ name, kind }) => `"${name}" ${kind.sql} not null`).join()}${columns.some(({ isHidden }) => isHidden) ? `, unique ("${columns.find(({ isHidden }) => isHidden)?.name}", flag)` : ''})`))
  const table = pgTable('veiledtable', {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    flag: boolean(),
    ...softDelete(),
    ...version(),
    ...Object.fromEntries(columns.map(({ key, name, kind }) => [key, kind.builder(name)]))
  })
  class Rows extends Repository.of(table) {
    protected override beforeCreate (values: object) {
      const own = columns.map(({ key, kind, mark, isHidden }) => [key, isHidden ? valueOf(kind, mark) : kind.value(mark)])
      return { ...Object.fromEntries(own), ...values } as never
    }
  }
  const valueOf = (kind: Kind, mark: number): unknown => ({
    nothing: kind.value(mark),
    null: null,
    type: kind.isText ? 7 : 'seven',
    length: kind.isText ? 'x'.repeat(99) : kind.value(mark)
  })[breaks]
  const [shown, hidden] = [columns.filter(({ isHidden }) => !isHidden), columns.filter(({ isHidden }) => isHidden)]
  const keys = (of: readonly Column[]): string[] => of.map(({ key }) => key)
  const filterable = shown.filter(({ kind }) => kind.sql !== 'jsonb')
  const written = some(random, hidden)
  const options = {
    prefix: '/rows',
    list: {
      filterable: keys(some(random, filterable)),
      sortable: keys(some(random, filterable)),
      searchable: keys(some(random, shown.filter(({ kind }) => kind.isText))),
      pages: random.below(3) === 0 ? 'numbered' : 'cursor',
      maxLimit: 2
    },
    get: true,
    create: ['flag', ...keys(some(random, shown)), ...keys(written)],
    update: ['flag', ...keys(some(random, shown))],
    remove: random.below(2) === 0 ? 'soft' : 'final',
    hidden: [...keys(hidden), 'deletedAt']
  }
  await server.register(crud(Rows, options as never))
  await server.ready()

  const secret = [
    'veiledtable', 'deletedAt', ...hidden.flatMap(({ name, mark }) => [name, String(mark)]), // each key has its mark
    'postgresql://', '.ts:'
  ].filter((part) => !written.some(({ mark }) => part === String(mark)))
  const found: string[] = []
  const search = (place: string, given: string): void => {
    const decoded = [...given.matchAll(/[\w-]{30,}/g)].map(([part]) => Buffer.from(part, 'base64url').toString('latin1')).join('\n')
    for (const part of secret) if (given.includes(part) || decoded.includes(part)) found.push(`${place}: ${part} in ${given}`)
    for (const { key, mark } of written) if (given.replaceAll(key, '').includes(String(mark))) found.push(`${place}: a value of ${key} in ${given}`)
  }
  const send = async (request: InjectOptions): Promise<{ statusCode: number, text: string, json: unknown }> => {
    const { statusCode, body, headers } = await server.inject(request)
    if (statusCode >= 500) found.push(`${JSON.stringify(request)}: ${statusCode} ${body}`)
    return { statusCode, text: `${JSON.stringify(headers)}\n${body}`, json: body === '' ? undefined : JSON.parse(body) }
  }
  const check = async (request: InjectOptions): Promise<number> => {
    const { statusCode, text } = await send(request)
    search(JSON.stringify(request), text)
    return statusCode
  }
  const withTag = { 'if-match': '*' }
  const body = (of: readonly string[], n: number): object => Object.fromEntries(columns.filter(({ key }) => of.includes(key))
    .map(({ key, kind, mark }) => [key, kind.json(kind.isText ? mark : mark + n)]))

  search('document', JSON.stringify(server.swagger()).replaceAll(new RegExp(keys(written).join('|') || 'nothing to write', 'g'), ''))
  found.push(...complaintsAbout(JSON.parse(JSON.stringify(server.swagger()))))
  for (let n = 0; n < 4; n++) await check({ method: 'POST', url: '/rows', payload: { flag: null, ...body(options.create, n) } })
  for (const how of ['null', 'type', 'length'] as const) {
    breaks = how
    await check({ method: 'POST', url: '/rows', payload: { flag: true } })
  }
  breaks = 'nothing'
  for (const flag of [true, true]) await check({ method: 'POST', url: '/rows', payload: { flag } })
  for (const query of ['', '?limit=1', ...options.list.sortable.flatMap((key) => [`?sort=${key}`, `?sort=-${key}&limit=1`]), ...options.list.filterable.map((key) => `?${key}=1`), '?search=mark', '?page=2']) {
    await check({ url: `/rows${query}` })
    const { json } = await send({ url: `/rows${query}` })
    const { next } = Object(json)
    if (typeof next === 'string') await check({ url: `/rows?after=${next}${query.replace('?', '&')}` })
  }
  for (const method of ['GET', 'HEAD', 'OPTIONS'] as const) await check({ method, url: '/rows/1' }).catch(() => undefined)
  await check({ method: 'PATCH', url: '/rows/1', payload: { flag: false, ...body(options.update, 1) }, headers: withTag })
  await check({ method: 'PATCH', url: '/rows/1', payload: { flag: false } })
  await check({ method: 'PATCH', url: '/rows/1', payload: { flag: false }, headers: { 'if-match': '"7"' } })
  // A hidden column answers as one that does not exist.
  for (const { key } of hidden) {
    for (const ask of [
      (name: string) => ({ url: `/rows?${name}=1` }), (name: string) => ({ url: `/rows?sort=${name}` }), (name: string) => ({ url: `/rows?${name}[isNull]=true` }),
      (name: string) => ({ method: 'PATCH', url: '/rows/1', payload: { [name]: 1 }, headers: withTag }) as const,
      ...keys(written).includes(key) ? [] : [(name: string) => ({ method: 'POST', url: '/rows', payload: { [name]: 1 } }) as const]
    ]) {
      const [real, unreal] = [await send(ask(key)), await send(ask('q'.repeat(key.length)))]
      const bare = ({ text }: { text: string }, name: string): string => text.replaceAll(name, 'N').replace(/req-\w+|"date":"[^"]*"|"content-length":"\d+"/g, '')
      if (bare(real, key) !== bare(unreal, 'q'.repeat(key.length))) found.push(`${key} answers ${real.text} instead of ${unreal.text}`)
    }
  }
  await check({ method: 'DELETE', url: '/rows/1', headers: withTag })
  await check({ method: 'DELETE', url: '/rows/1', headers: withTag })
  await check({ url: '/rows/1' })
  return found
}

for (let seed = 1; seed <= 12; seed++) {
  t.test(`no reply and no document has the name or the value of a hidden column, with table ${seed}`, async (t) => {
    t.strictSame(await attempt(t, 20261130 + seed), [])
  })
}
