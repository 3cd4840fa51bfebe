import { Column, CreateDateColumn, Entity, JoinColumn, ManyToOne, OneToMany, PrimaryColumn, PrimaryGeneratedColumn, type Relation } from 'typeorm'

@Entity('customers')
export class Customer {
  @PrimaryGeneratedColumn('identity')
  id!: number

  @Column({ type: 'text' })
  name!: string

  @Column({ type: 'text', unique: true })
  email!: string

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date
}

@Entity('orders')
export class Order {
  @PrimaryGeneratedColumn('identity')
  id!: number

  @Column({ name: 'customer_id', type: 'integer' })
  customerId!: number

  @CreateDateColumn({ name: 'placed_at', type: 'timestamptz', precision: 3 })
  placedAt!: Date

  @OneToMany(() => OrderLine, (line) => line.order)
  lines!: Relation<OrderLine[]>
}

@Entity('order_lines')
export class OrderLine {
  @PrimaryColumn({ name: 'order_id', type: 'integer' })
  orderId!: number

  @ManyToOne(() => Order, (order) => order.lines)
  @JoinColumn({ name: 'order_id' })
  order!: Relation<Order>

  @PrimaryColumn({ type: 'text' })
  item!: string

  @Column({ type: 'integer' })
  quantity!: number

  @Column({ type: 'integer' })
  cents!: number
}
