import { Type } from "typebox";
import type { Id } from "../../model/common.ts";
import type { Change } from "../../model/event.ts";
import { blankChange, blankFields } from "../blank.ts";
import { accept, defineCommand } from "../define.ts";
import { identitiesOf } from "../derived.ts";
import { key } from "../keys.ts";
import { customerInput, customerNotFound } from "./with-customer.ts";

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
    const addresses = new Set<string>();
    const changes: Change[] = [];
    let id: Id | null = input.customer;
    let last: Id | null = null;
    while (id !== null) {
      const row = draft.customer(id);
      if (row === null) return customerNotFound();
      for (const name of identitiesOf(row)) addresses.add(name);
      if (row.erased_at === null) {
        erased.push(id);
        changes.push(...draft.changeCustomer(row, { ...blankFields.customers, erased_at: draft.at }).map(blankChange));
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
        // what waits for a person, or is half done, may name the customer by address alone
        payload: { customer, addresses: [...addresses] },
        refs: { customer },
      });
    }
    return accept({ customer: last, changed: erased.length > 0, erased, erase_pending: true });
  },
});
