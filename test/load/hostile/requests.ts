/** Requests of a client that tries to read more than a list permits. */
import type { Random } from '../crash/random.js'

/** A query string, and the same as a body if possible. */
export interface HostileRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly payload?: string
}

const keys = [
  'name', 'name[contains]', 'age', 'age[gte]', 'sort', 'search', 'limit', 'page', 'after', 'before',
  'isAdmin', 'is_admin', 'id', 'deletedAt', 'deletedAt[isNull]', 'name[like]', 'name[regex]', 'name[contains][x]', 'age[in]', 'age[]', 'and',
  'or[0][name]', 'not', 'columns',
  'lock', 'with', 'all', '__proto__', 'constructor', 'prototype', '__proto__[isAdmin]', 'constructor[prototype][isAdmin]', 'toString',
  'hasOwnProperty', 'enableRLS', '$where', 'name;--', '', ' ', '\u0000'
]

const texts = [
  '', 'a', 'P1', '1', '0', '-1', '5', '99999999999999999999', '2147483648', '1e12', '1e999', 'NaN', 'Infinity', '0x10', '1.5', 'null', 'undefined',
  'true', '[]', '{}', '{"$ne":1}',
  "' or 1=1 --", '1;drop table people', '1); select pg_sleep(9) --', '%', '_', '\\', '%%%%%%%%%%', '$1', '$$', '"', '"people"."is_admin"', 'name',
  '-name', 'age,-name', 'name,name', 'age,isAdmin',
  'id;select pg_sleep(9)', 'constructor', '__proto__', 'asc', 'name desc nulls first', '\u0000', 'a\u0000b', '\ud800', '\u202e', 'ﬀ', '💣',
  'x'.repeat(5000), '1,2,3', '2026-01-01', '../../etc/passwd', '#{7*7}', '{{7*7}}'
]

/** Valid parameters, with which invalid ones are mixed. */
const plausible: ReadonlyArray<readonly [string, string]> = [
  ['name', 'P1'], ['name[contains]', '1'], ['name[contains]', '%'], ['age', '3'], ['age[gte]', '1'], ['search', 'p'], ['limit', '3'], ['limit', '1'],
  ['page', '2'],
  ['sort', '-age'], ['sort', 'age'], ['sort', 'name,-age'], ['sort', '-name'], ['sort', 'age,name']
]

const rawValues = ['%', '%00', '%ff', '%c0%80', '%ed%a0%80', '%25', '%5B%5D', '+', '&&', '=', '==', '%E0%A4%A']

/** Makes requests, some of them with cursors from earlier replies. */
export class HostileRequests {
  readonly #random: Random
  readonly #cursors: string[] = []

  constructor (random: Random) {
    this.#random = random
  }

  /** Keeps a cursor of the server's. */
  learn (cursor: string): void {
    if (this.#cursors.length < 50) this.#cursors.push(cursor)
    else this.#cursors[this.#random.below(50)] = cursor
  }

  next (): HostileRequest {
    const path = this.#pick(['/people', '/pages', '/rows', '/raw'])
    const pairs = Array.from({ length: 1 + this.#random.below(4) }, () => this.#pair())
    if (this.#random.below(4) === 0) return { method: 'POST', url: '/people', payload: this.#body(pairs) }
    return {
      method: 'GET',
      url: `${path}?${pairs.map(([key, value]) => `${encode(key)}=${this.#random.below(15) === 0 ? this.#pick(rawValues) : encode(value)}`).join('&')}`
    }
  }

  #pair (): readonly [string, string] {
    const roll = this.#random.below(10)
    if (roll < 6) return this.#pick(plausible)
    if (roll < 8 && this.#cursors.length > 0) return [this.#pick(['after', 'before']), this.#pick(this.#cursors)]
    return [this.#key(), this.#value()]
  }

  #key (): string {
    return this.#random.below(3) > 0 ? this.#pick(keys.slice(0, 10)) : this.#pick(keys)
  }

  #value (): string {
    const roll = this.#random.below(10)
    if (roll < 2 && this.#cursors.length > 0) return this.#bend(this.#pick(this.#cursors))
    if (roll === 2) {
      return Array.from(
        { length: this.#random.below(12) },
        () => String.fromCharCode(this.#random.below(this.#random.below(2) === 0 ? 128 : 65_536))
      ).join('')
    }
    return this.#pick(texts)
  }

  /** Returns the cursor, a part of it, or the cursor with one changed letter. */
  #bend (cursor: string): string {
    const place = this.#random.below(cursor.length)
    return this.#pick([cursor, cursor, cursor.slice(place), cursor.slice(0, place), `${cursor.slice(0, place)}A${cursor.slice(place + 1)}`, cursor + cursor])
  }

  #body (pairs: ReadonlyArray<readonly [string, string]>): string {
    const wrap = (value: string): unknown => this.#pick<unknown>([value, value, Number(value), [value], { eq: value }, { contains: { x: value } }, null, true])
    const members = pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(wrap(value))}`).join()
    return this.#random.below(20) === 0 ? this.#pick(['[]', 'null', '7', '"x"', '{', '']) : `{${members}}`
  }

  #pick<Value> (values: readonly Value[]): Value {
    return values[this.#random.below(values.length)] as Value
  }
}

/** A lone surrogate has no bytes of its own; {@link rawValues} has the bytes that a client might send. */
function encode (text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'))
}
