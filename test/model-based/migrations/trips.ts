import fc from 'fast-check'
import { model } from './models.js'
import type { Trip } from './round-trip.js'

/** Any two models, and any answers about renames. */
export const trips: fc.Arbitrary<Trip> = fc.record({ from: model, to: model, answers: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 }) })
