import t from 'tap'
import { buildServer as after } from './after/build-server.js'
import { buildServer as drizzle } from './drizzle/before.js'
import { buildServer as fastifyPostgres } from './fastify-postgres/before.js'
import { checkService } from './requests.js'

checkService(t, 'this package', after)
checkService(t, 'Drizzle', drizzle)
checkService(t, '@fastify/postgres', fastifyPostgres)
