import { lookup } from 'node:dns'
import { isIP } from 'node:net'
import { DirectSocket } from './direct-socket.js'
import { shuffled } from './hosts.js'
import type { LookupFunction } from 'node:net'

/** Looks up all addresses of a name, in random order. */
export const shuffledAddresses: LookupFunction = (name, options, callback) => {
  lookup(name, { ...options, all: true }, (error, addresses) => {
    const found = error === null ? shuffled(addresses) : []
    const [first] = found
    if (options.all === true || first === undefined) callback(error, found)
    else callback(null, first.address, first.family)
  })
}

/** Leads to one address, whatever the name: that name is what a certificate is compared with. */
export function onlyTo (address: string): LookupFunction {
  const family = isIP(address)
  return (_name, options, callback) => {
    if (options.all === true) callback(null, [{ address, family }])
    else callback(null, address, family)
  }
}

/** A socket that connects as pg asks, and looks up names in its own way. */
export class AddressSocket extends DirectSocket {
  readonly #lookup: LookupFunction | undefined

  constructor (lookup: LookupFunction | undefined) {
    super()
    this.#lookup = lookup
  }

  // pg connects by a port and a host, or by the path of a Unix socket.
  override connect (...args: unknown[]): this {
    const [place, host] = args
    return typeof host === 'string' && this.#lookup !== undefined
      ? super.connect({ port: Number(place), host, lookup: this.#lookup })
      : super.connect(place as number, host as string)
  }
}
