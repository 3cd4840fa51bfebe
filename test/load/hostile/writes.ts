/** Requests of a client that tries to read and write more than the routes of a table permit. */
import { HostileRequests } from './requests.js'
import type { InjectOptions } from 'fastify'
import type { Random } from '../crash/random.js'

const properties = ['name', 'age', 'extra', 'isAdmin', 'is_admin', 'secret', 'id', 'version', '__proto__', 'constructor', 'prototype', 'toString', 'name;--', '"name"', '', ' ', '\u0000', '$where']

const values: readonly unknown[] = [
  'P1', 'a', '', 'x'.repeat(20), 'x'.repeat(21), 'x'.repeat(100_000), '\u0000', '\ud800', '💣', "' or 1=1 --", '1', '-1', 'null', 0, 1, 7, -1, 151, 2 ** 31, 1e308, 1.5, true, false, null,
  [], {}, [1], { a: 1 }, { $ne: 1 }, { increment: 1 }, { __proto__: { isAdmin: 1 } }, { deep: { deep: ['\u0000'] } },
  [[[[[]]]]], { sql: 'now()' }, { toJSON: 1 }, { queryChunks: [] }
]

const ids = ['1', '2', '3', '12', '0', '-1', '99', '2147483647', '2147483648', '1.5', '1e3', 'x', '', '%00', '%2e%2e', '1%20or%201=1', '1;drop table people', 'NaN', '٣', '0x1', '%C0%AF', '*', ':id']

const tags = ['"1"', '"2"', '"3"', '*', 'W/"1"', '"1", "2", "3"', '"', '""', '1', '*, "1"', `"${'1'.repeat(300)}"`, '"1e0"', '"1" or 1=1', ',,,', '"-1"', '"2147483648"', '"NaN"', `${'"1",'.repeat(200)}"2"`]

const types = ['application/json', 'application/json', 'application/json', 'text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16']
const bodies = ['', '{', '[]', 'null', '7', '"x"', '{"name":"a","name":"b"}', '{"__proto__":{"isAdmin":1},"name":"a"}', '{"constructor":{"prototype":{"isAdmin":1}}}', `{"name":${'['.repeat(2000)}${']'.repeat(2000)}}`]

/** Makes requests to a list, to single rows, and with bodies. */
export class HostileWrites {
  readonly #random: Random
  readonly #lists: HostileRequests
  readonly #ids: string[] = []

  constructor (random: Random) {
    this.#random = random
    this.#lists = new HostileRequests(random)
  }

  learnCursor (cursor: string): void { this.#lists.learn(cursor) }

  learnId (id: number): void {
    if (this.#ids.length < 50) this.#ids.push(String(id))
    else this.#ids[this.#random.below(50)] = String(id)
  }

  next (): InjectOptions {
    const roll = this.#random.below(10)
    if (roll < 3) return { method: 'GET', url: `/people${this.#lists.next().url.replace(/^[^?]*/, '')}` }
    const url = `/people/${this.#ids.length > 0 && this.#random.below(2) === 0 ? this.#pick(this.#ids) : this.#pick(ids)}`
    if (roll < 4) return { method: this.#pick(['GET', 'HEAD'] as const), url, headers: this.#tagged('if-none-match') }
    if (roll < 5) return { method: 'DELETE', url, headers: this.#tagged('if-match') }
    if (roll < 7) return { method: 'POST', url: '/people', payload: this.#body(), headers: { 'content-type': this.#pick(types) } }
    return { method: this.#pick(['PATCH', 'PATCH', 'PATCH', 'PUT'] as const), url, payload: this.#body(), headers: { 'content-type': this.#pick(types), ...this.#tagged('if-match') } }
  }

  #tagged (name: string): Record<string, string> {
    return this.#random.below(4) === 0 ? {} : { [name]: this.#random.below(2) === 0 ? '*' : this.#pick(tags) }
  }

  #body (): string {
    if (this.#random.below(12) === 0) return this.#pick(bodies)
    const plausible = this.#random.below(2) === 0
    const members = [
      ...plausible ? [['name', `N${this.#random.below(99)}`], ['age', this.#random.below(99)]] as const : [],
      ...Array.from({ length: this.#random.below(plausible ? 2 : 4) }, () => [this.#pick(properties), this.#pick(values)] as const)
    ]
    return `{${members.filter(([key]) => this.#random.below(8) > 0 || key === 'name').map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join()}}`
  }

  #pick<Value> (list: readonly Value[]): Value {
    return list[this.#random.below(list.length)] as Value
  }
}
