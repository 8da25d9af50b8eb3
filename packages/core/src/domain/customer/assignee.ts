import { Type } from "typebox";
import { defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { findUser, isRefusal } from "../naming.ts";
import { change, customerInput, withCustomer } from "./with-customer.ts";

export const assignCustomer = defineCommand({
  type: "customer.assign",
  summary: "Gives a customer to a user",
  permission: "customers.write",
  target: "customer",
  action: true,
  events: ["customer.assigned"],
  input: Type.Object(
    { ...customerInput, user: Type.String({ maxLength: 320, description: "id or e-mail address of the user" }) },
    { additionalProperties: false },
  ),
  prepare(input, settings) {
    const user = findUser(settings, input.user);
    return isRefusal(user) ? user : { ...input, user: user.id };
  },
  needs: (input) => [key.customer(input.customer)],
  decide(input, draft) {
    const user = findUser(draft.settings, input.user);
    if (isRefusal(user)) return user;
    return withCustomer(draft, input.customer, (row) => change(draft, row, "customer.assigned", { assignee: user.id }));
  },
});

export const unassignCustomer = defineCommand({
  type: "customer.unassign",
  summary: "Takes a customer from the assignee",
  permission: "customers.write",
  target: "customer",
  action: true,
  events: ["customer.unassigned"],
  input: Type.Object(customerInput, { additionalProperties: false }),
  needs: (input) => [key.customer(input.customer)],
  decide: (input, draft) =>
    withCustomer(draft, input.customer, (row) => change(draft, row, "customer.unassigned", { assignee: null })),
});
