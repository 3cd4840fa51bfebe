/** A request of a test, as `inject` takes it. */
export interface InjectedRequest {
  readonly method?: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly payload?: unknown
}

/** A request, or the URL of a GET request. */
export type TenantRequest = string | InjectedRequest

/** A server that answers requests of a test, such as a Fastify server. */
export interface ServerWithInject {
  inject (request: never): PromiseLike<{ readonly statusCode: number, readonly headers: object, readonly body: string }>
}

/** The headers by which the server knows each of two tenants, such as `{ authorization: 'Bearer …' }`. */
export interface TwoTenants {
  readonly a: Readonly<Record<string, string>>
  readonly b: Readonly<Record<string, string>>
}

/** One of {@link TwoTenants}, or a request without a tenant. */
export type TenantName = keyof TwoTenants | 'none'

/** The requests around one kind of row. */
export interface TenantRequests {
  /** The request that creates a row with the marker, a UUID, in a column that replies show. It is called several times, each time with another marker. */
  create (marker: string): TenantRequest
  /**
   * The requests that read, change and remove the row, in this order. `created` is the parsed reply to `create`. Each reply of a GET depends on rows only,
   * and at least one shows the marker.
   */
  others (created: object): readonly TenantRequest[]
}

/** A reply to a tenant. */
export interface TenantReply {
  readonly statusCode: number
  readonly body: string
  /** Headers and body. */
  readonly text: string
  /** The parsed body. */
  readonly document: object
  /** The request and its reply, for a message. */
  readonly told: string
}

/** How much of a body a message shows. */
const shownLength = 200

/** Sends the requests of a test as one tenant or another. */
export class TenantClient {
  readonly #server: ServerWithInject
  readonly #tenants: TwoTenants

  constructor (server: ServerWithInject, tenants: TwoTenants) {
    this.#server = server
    this.#tenants = tenants
  }

  async send (tenant: TenantName, request: TenantRequest): Promise<TenantReply> {
    const given = typeof request === 'string' ? { url: request } : request
    const headers = { ...given.headers, ...tenant === 'none' ? {} : this.#tenants[tenant] }
    const { statusCode, body, headers: answered } = await this.#server.inject({ ...given, headers } as never)
    return {
      statusCode,
      body,
      text: `${JSON.stringify(answered)}\n${body}`,
      document: parsed(body),
      told: `${nameOf(request)} ${tenant === 'none' ? 'without a tenant' : `of ${tenant}`} answers ${statusCode} ${body.slice(0, shownLength)}`
    }
  }

  /** Sends the requests one after the other. */
  async sendAll (tenant: TenantName, requests: readonly TenantRequest[]): Promise<TenantReply[]> {
    const replies: TenantReply[] = []
    for (const request of requests) replies.push(await this.send(tenant, request))
    return replies
  }

  /** @throws Error if the reply has no status of success */
  async succeed (tenant: TenantName, request: TenantRequest): Promise<TenantReply> {
    const reply = await this.send(tenant, request)
    if (reply.statusCode >= 200 && reply.statusCode < 300) return reply
    throw new Error(`${reply.told}: the tenant's own request has to succeed, or the test proves nothing`)
  }

  async succeedAll (tenant: TenantName, requests: readonly TenantRequest[]): Promise<TenantReply[]> {
    const replies: TenantReply[] = []
    for (const request of requests) replies.push(await this.succeed(tenant, request))
    return replies
  }
}

/** The method and the URL of a request. */
export function nameOf (request: TenantRequest): string {
  return typeof request === 'string' ? `GET ${request}` : `${request.method ?? 'GET'} ${request.url}`
}

function parsed (body: string): object {
  try {
    return Object(JSON.parse(body)) as object
  } catch {
    return {}
  }
}
