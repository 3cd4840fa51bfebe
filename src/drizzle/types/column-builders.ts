/** The builders of columns that Drizzle's functions return, in either version. */
import type { Column } from 'drizzle-orm'
import type { integer, timestamp } from 'drizzle-orm/pg-core'

/** What `integer()` returns; in 0.45 it is the first of two overloads. */
type Integer = typeof integer extends { (): infer First, (name: never): infer Last } ? unknown extends First ? Last : First : never

/** A builder after `notNull()` and `default()`. */
type Filled<Builder extends Fillable> = ReturnType<ReturnType<Builder['notNull']>['default']>

interface Fillable {
  notNull (): { default (value: never): unknown }
}

/** The builder of any column: in 1.0, Drizzle's own type takes every value. */
export interface ColumnBuilder {
  readonly _: object
  notNull (): unknown
}

/** The builder of a timestamp that is read as a Date. */
export type TimeColumn = ReturnType<typeof timestamp<'date'>>

/** The same, required and with a default. */
export type FilledTimeColumn = Filled<TimeColumn>

/** The builder of a required integer with a default. */
export type FilledIntegerColumn = Filled<Integer>

/** A builder with a mark in its types: 1.0 keeps no property of its own, but the type of the driver's value. */
export type MarkedColumn<Builder, Mark> = Builder & { readonly _: { driverParam: Mark } }

/** A builder whose column is filled when the caller gives no value. */
export type SetColumn<Builder> = Builder & { readonly _: { hasDefault: true } }

/** Whether the types of a column carry a mark; a custom type may have any value of the driver. */
export type HasMark<C extends Column, Mark> = unknown extends C['_']['driverParam'] ? false : C['_']['driverParam'] extends Mark ? true : false
