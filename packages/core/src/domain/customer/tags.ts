import { Type } from "typebox";
import { defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { prepareTags, tagsProblem, TagsInput, withoutTags, withTags } from "../tags.ts";
import { change, customerInput, withCustomer } from "./with-customer.ts";

const input = Type.Object({ ...customerInput, tags: TagsInput }, { additionalProperties: false });

export const addCustomerTags = defineCommand({
  type: "customer.add_tags",
  summary: "Tags a customer",
  permission: "customers.write",
  target: "customer",
  action: true,
  events: ["customer.tags_added"],
  input,
  prepare: prepareTags,
  needs: (given) => [key.customer(given.customer)],
  decide: (given, draft) =>
    withCustomer(draft, given.customer, (row) => {
      const tags = withTags(row.tags, given.tags);
      return tagsProblem(tags) ?? change(draft, row, "customer.tags_added", { tags });
    }),
});

export const removeCustomerTags = defineCommand({
  type: "customer.remove_tags",
  summary: "Takes tags off a customer",
  permission: "customers.write",
  target: "customer",
  action: true,
  events: ["customer.tags_removed"],
  input,
  prepare: prepareTags,
  needs: (given) => [key.customer(given.customer)],
  decide: (given, draft) =>
    withCustomer(draft, given.customer, (row) =>
      change(draft, row, "customer.tags_removed", { tags: withoutTags(row.tags, given.tags) }),
    ),
});
