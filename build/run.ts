/** Writes the JavaScript of the published package, for `npm run build`. */
import { bundle } from './bundles.js'

await bundle('dist')
