/** The services that need the packages of this folder, and a client that `prisma generate` makes: `npm run test:coming-from` runs them. */
import t from 'tap'
import { buildServer as prisma } from './prisma/before.js'
import { checkService } from './requests.js'
import { buildServer as typeorm } from './typeorm/before.js'

checkService(t, 'Prisma', prisma)
checkService(t, 'TypeORM', typeorm)
