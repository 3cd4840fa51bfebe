// The same program in another process. The difference of its numbers is noise.
export { open } from './pg-transaction.js'
