import { Type } from "typebox";
import type { Instant } from "../../model/common.ts";
import type { Customer } from "../../model/customer.ts";
import { defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { change, customerInput, withCustomer } from "./with-customer.ts";

/** What a customer's wish makes of the row; the instant of an older wish stays. */
export function subscription(
  row: Pick<Customer, "subscribed" | "unsubscribed_at">,
  subscribed: boolean,
  at: Instant,
): Partial<Customer> {
  if (!subscribed) return { subscribed, subscribed_at: null, unsubscribed_at: row.unsubscribed_at ?? at };
  return row.subscribed ? {} : { subscribed, subscribed_at: at, unsubscribed_at: null };
}

const input = Type.Object(customerInput, { additionalProperties: false });

export const subscribeCustomer = defineCommand({
  type: "customer.subscribe",
  summary: "Notes that a customer wants messages again",
  permission: "customers.write",
  target: "customer",
  action: true,
  events: ["customer.subscribed"],
  input,
  needs: (given) => [key.customer(given.customer)],
  decide: (given, draft) =>
    withCustomer(draft, given.customer, (row) =>
      change(draft, row, "customer.subscribed", subscription(row, true, draft.at)),
    ),
});

export const unsubscribeCustomer = defineCommand({
  type: "customer.unsubscribe",
  summary: "Notes that a customer wants no messages",
  permission: "customers.write",
  target: "customer",
  action: true,
  events: ["customer.unsubscribed"],
  input,
  needs: (given) => [key.customer(given.customer)],
  decide: (given, draft) =>
    withCustomer(draft, given.customer, (row) =>
      change(draft, row, "customer.unsubscribed", subscription(row, false, draft.at)),
    ),
});
