import { Type } from "typebox";
import type { Id, Json } from "../../model/common.ts";
import type { Customer } from "../../model/customer.ts";
import type { Change } from "../../model/event.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { customerInput, customerNotFound } from "./with-customer.ts";

/** Every field that can hold something personal, and what it holds once erased. */
export const blankCustomer = {
  phone: null,
  email: null,
  external_id: null,
  handles: [],
  first_name: null,
  last_name: null,
  picture_url: null,
  locale: null,
  timezone: null,
  zip_code: null,
  tags: [],
  properties: {},
} as const satisfies Partial<Customer>;

/**
 * Erases a customer's personal data (GDPR). The event says which fields were blanked, never what stood in them: its
 * `before` holds the blanks too, so that folding the log, and walking back over it, give blanks. A row that was merged
 * is erased together with those it stands for now. Older log rows, conversations, messages and effects, and rows that
 * were merged into this one, are the work of an effect, which every call asks for; asking twice does no harm.
 */
export const eraseCustomer = defineCommand({
  type: "customer.erase",
  summary: "Erases the personal data of a customer for good",
  permission: "customers.erase",
  target: "customer",
  action: false,
  events: ["customer.erased"],
  input: Type.Object(customerInput, { additionalProperties: false }),
  needs: (input) => [key.customer(input.customer)],
  decide(input, draft) {
    const erased: Id[] = [];
    const changes: Change[] = [];
    let id: Id | null = input.customer;
    let last: Id | null = null;
    while (id !== null) {
      const row = draft.customer(id);
      if (row === null) return customerNotFound();
      if (row.erased_at === null) {
        erased.push(id);
        changes.push(...draft.changeCustomer(row, { ...blankCustomer, erased_at: draft.at }).map(withoutValues));
      }
      last = id;
      id = row.merged_into;
    }
    if (changes.length > 0) draft.emit("customer.erased", { customer: last as Id }, changes, { customers: erased });
    // asked for every time, so that a job that died for good can be asked for again
    for (const customer of new Set([...erased, last as Id])) {
      draft.effect({
        kind: "customer.blank",
        order_key: `erase/${customer}`,
        payload: { customer },
        refs: { customer },
      });
    }
    return accept({ customer: last, changed: erased.length > 0, erased, erase_pending: true });
  },
});

function withoutValues(change: Change): Change {
  const before: Record<string, Json> = {};
  for (const field of Object.keys(change.after)) {
    before[field] = field in blankCustomer ? blankCustomer[field as keyof typeof blankCustomer] : null;
  }
  return { ...change, before };
}
