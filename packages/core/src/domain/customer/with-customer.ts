import { type Accepted, type Refusal, refuse } from "../../model/command.ts";
import { type Id, IdSchema } from "../../model/common.ts";
import type { Customer, CustomerRow } from "../../model/customer.ts";
import type { EventData } from "../../model/event.ts";
import { accept } from "../define.ts";
import type { Draft } from "../draft.ts";
import type { EventType } from "../events.ts";

/** The input field that names a customer. */
export const customerInput = { customer: IdSchema };

export const customerNotFound = (path = "/customer"): Refusal =>
  refuse("not_found", "customer_not_found", "There is no such customer", path);

export const customerErased = (path = "/customer"): Refusal =>
  refuse("conflict", "customer_erased", "The customer was erased", path);

/** What is another customer's already. Who they are is in the refusal for whoever may read them. */
export const takenBy = (customer: Id, what: string, path: string): Refusal => ({
  ...refuse("conflict", `${what}_taken`, `Another customer has this ${what}`, path),
  customer,
});

export const isErased = (row: Pick<Customer, "erased_at"> | null): boolean => row !== null && row.erased_at !== null;

/**
 * Reads the customer that a command names. One that was merged stands for the one it was merged into; one that was
 * erased can be changed no more, as that could bring personal data back.
 */
export function withCustomer(
  draft: Draft,
  id: Id,
  act: (customer: CustomerRow) => Accepted | Refusal,
  path = "/customer",
): Accepted | Refusal {
  const row = draft.customerOf(id);
  if (row === null) return customerNotFound(path);
  return row.erased_at === null ? act(row) : customerErased(path);
}

/** Changes a customer and tells of it, with `data` when there is one; says whether anything changed. */
export function tell(
  draft: Draft,
  row: Pick<Customer, "id">,
  type: EventType,
  patch: Partial<Customer>,
  data?: EventData,
): boolean {
  const changes = draft.changeCustomer(row, patch);
  if (changes.length > 0) draft.emit(type, { customer: row.id }, changes, data);
  return changes.length > 0;
}

/** As `tell`; the answer names the customer and whether anything changed. */
export function change(draft: Draft, row: CustomerRow, type: EventType, patch: Partial<Customer>): Accepted {
  return accept({ customer: row.id, changed: tell(draft, row, type, patch) });
}
