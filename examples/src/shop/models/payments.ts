import { hidden, model, ref, transaction, writeOnce } from 'data-bridge';
import { audit, tenant } from 'data-bridge/extensions';
import { z } from 'zod';
import { Cents } from './catalog.ts';
import { Order } from './sales.ts';
import { ShopError } from './shop-error.ts';

/** Something that pays for an order, or for a part of it. All kinds are in one collection, and a query gives each as its own class. */
export abstract class Payment extends model(
  'payments',
  {
    order: writeOnce(ref<Order>(() => Order)),
    amount: writeOnce(Cents.min(1)),
    ...tenant.fields,
    ...audit.fields,
  },
  {
    extensions: [tenant, audit],
    typeKey: 'type',
    json: ['label'],
    indexes: [{ key: { tenant: 1, order: 1 } }],
  },
) {
  /** What a receipt says. */
  abstract get label(): string;
}

const CardInput = z.strictObject({ last4: z.string().regex(/^\d{4}$/), token: z.string() });

export class CardPayment extends Payment.extend(
  // By the token money can be taken: nobody sees it.
  { last4: CardInput.shape.last4, token: hidden(CardInput.shape.token) },
  { type: 'card', class: () => CardPayment },
) {
  get label(): string {
    return `card ending in ${this.last4}`;
  }
}

const TransferInput = z.strictObject({ iban: z.string().regex(/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/) });

export class TransferPayment extends Payment.extend(TransferInput.shape, {
  type: 'transfer',
  class: () => TransferPayment,
}) {
  get label(): string {
    return `transfer from ${this.iban.slice(0, 4)}…`;
  }
}

const VoucherInput = z.strictObject({ code: z.string().toUpperCase() });

export class VoucherPayment extends Payment.extend(VoucherInput.shape, {
  type: 'voucher',
  class: () => VoucherPayment,
  // A voucher is good once.
  indexes: [{ key: { tenant: 1, code: 1 }, unique: true }],
}) {
  get label(): string {
    return `voucher ${this.code}`;
  }
}

/** What a client says of a payment. */
export const PaymentInput = z.discriminatedUnion('type', [
  CardInput.extend({ type: z.literal('card'), amount: Cents.min(1) }),
  TransferInput.extend({ type: z.literal('transfer'), amount: Cents.min(1) }),
  VoucherInput.extend({ type: z.literal('voucher'), amount: Cents.min(1) }),
]);
type PaymentInput = z.output<typeof PaymentInput>;

/** Pays for an order, which is paid when all of it is. */
export async function pay(order: Order, input: PaymentInput): Promise<Payment> {
  const payment = paymentOf(order, input);
  await transaction(async () => {
    order.mustBeOpen();
    order.paid += payment.amount;
    if (order.paid > order.total) throw new ShopError('OVERPAID', 'amount', 'That is more than the order costs.');
    if (order.paid === order.total) order.status = 'paid';
    await Payment.saveAll([order, payment]);
  });
  return payment;
}

function paymentOf(order: Order, input: PaymentInput): Payment {
  switch (input.type) {
    case 'card': {
      const { type: _, ...rest } = input;
      return new CardPayment({ order, ...rest });
    }
    case 'transfer': {
      const { type: _, ...rest } = input;
      return new TransferPayment({ order, ...rest });
    }
    case 'voucher': {
      const { type: _, ...rest } = input;
      return new VoucherPayment({ order, ...rest });
    }
  }
}
