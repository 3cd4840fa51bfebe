import fc from 'fast-check'
import { model, type ColumnPlan, type ModelPlan, type TablePlan } from './models.js'
import type { Trip } from './round-trip.js'

/** Any two models, and any answers about renames. Some keys and types stay the same: if all of them change, rows seldom fit. */
export const trips: fc.Arbitrary<Trip> = fc.record({
  from: model,
  to: model,
  stays: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
  answers: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 }),
  nulls: fc.constantFrom(false, false, true)
}).map(({ from, to, stays, ...trip }) => ({ ...trip, from, to: mixed(from, to, stays) }))

function mixed (from: ModelPlan, to: ModelPlan, stays: readonly boolean[]): ModelPlan {
  let next = 0
  const stay = () => stays[next++ % stays.length] === true
  const tables = eachShared<TablePlan>(from.tables, to.tables, (table, other) => ({
    ...other,
    key: stay() ? table.key : other.key,
    columns: eachShared<ColumnPlan>(table.columns, other.columns, (column, later) => ({ ...later, type: stay() ? column.type : later.type }))
  }))
  return { ...to, tables }
}

function eachShared<Plan> (
  plans: Readonly<Partial<Record<string, Plan>>>,
  others: Readonly<Partial<Record<string, Plan>>>,
  mix: (plan: Plan, other: Plan) => Plan
): Partial<Record<string, Plan>> {
  return Object.fromEntries(Object.entries(others).map(([name, other]) => [
    name,
    plans[name] === undefined || other === undefined ? other : mix(plans[name], other)
  ]))
}
