// The same program in another process: what its numbers differ by is noise.
export { open } from './pg-transaction.js'
