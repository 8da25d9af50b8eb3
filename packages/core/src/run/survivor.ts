import { key } from "../domain/keys.ts";
import type { Ledger } from "../domain/ledger.ts";
import type { Id } from "../model/common.ts";
import type { CustomerRow } from "../model/customer.ts";

/** The customer that an id stands for: a merged one stands for the one it was merged into. */
export function survivorOf(id: Id, ledger: Ledger): CustomerRow | null {
  let row = ledger.get<CustomerRow>(key.customer(id));
  while (row !== null && row.merged_into !== null) row = ledger.get<CustomerRow>(key.customer(row.merged_into));
  return row;
}
