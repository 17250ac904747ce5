// Code of another team that uses the types: it must compile, and be told apart what the tags tell
// apart.

import type { OrderPlaced21 } from './OrderPlaced21';
import type { OrderPlaced10 } from './OrderPlaced10';
import type { PaymentTaken10 } from './PaymentTaken10';
import type { PaymentRefused10 } from './PaymentRefused10';
import type { CategoryMoved10 } from './CategoryMoved10';

export function total(event: OrderPlaced21): number {
  const { lines, totals, shipTo } = event.data;
  const abroad = shipTo !== null && shipTo.country !== 'ES';
  const shipping = totals.shipping?.amount ?? 0;
  return lines.reduce((sum, line) => sum + line.quantity * line.price.amount, 0) + (abroad ? 2 : 1) * shipping;
}

// Two versions of an event on one subject are told apart by what the envelope says.
export function pieces(event: OrderPlaced10 | OrderPlaced21): number {
  switch (event.version) {
    case '1.0':
      return event.data.skus.length;
    case '2.1':
      return event.data.lines.reduce((sum, line) => sum + line.quantity, 0);
  }
}

export function method(event: PaymentTaken10): string {
  const { method } = event.data;
  switch (method.kind) {
    case 'card':
      return `card ending in ${method.last_four}`;
    case 'transfer':
      return `transfer from ${method.iban}`;
    case 'cash':
      return 'cash';
  }
}

export function missing(event: PaymentRefused10): number {
  const { cause } = event.data;
  switch (cause.code) {
    case 'FUNDS':
      return cause.detail;
    case 'LIMIT':
      return cause.detail.asked - cause.detail.allowed;
    case 'EXPIRED':
      return 0;
  }
}

export function depth(event: CategoryMoved10): number {
  type Category = CategoryMoved10['data']['tree'];
  const below = (category: Category): number => 1 + Math.max(0, ...(category.children ?? []).map(below));
  return below(event.data.tree);
}

export function cause(event: OrderPlaced21): string | undefined {
  return event.metadata.causation_id;
}

export function careless(event: OrderPlaced21): void {
  // @ts-expect-error: there may be no address
  event.data.shipTo.city;
  // @ts-expect-error: a misspelt channel
  event.data.channel === 'instore';
  // @ts-expect-error: an amount is a number
  event.data.lines[0].price.amount.toUpperCase();
}
