import { Type } from "typebox";
import { membersOf } from "../../model/json.ts";
import { refuse } from "../../model/command.ts";
import { IdSchema } from "../../model/common.ts";
import type { Customer, CustomerRow } from "../../model/customer.ts";
import { mergedAddresses } from "../addressing.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { maxProperties } from "../properties.ts";
import { maxTags, withTags } from "../tags.ts";
import { customerErased, customerInput, customerNotFound, withCustomer } from "./with-customer.ts";

/**
 * Two rows are one person. No row moves (MILL law 13): the source keeps its fields and conversations and only points at
 * the target, which is found under both's addresses and counts both's conversations from here on.
 */
export const mergeCustomer = defineCommand({
  type: "customer.merge",
  summary: "Merges a customer into another, which stands for both from then on",
  permission: "customers.merge",
  target: "customer",
  action: false,
  events: ["customer.merged", "customer.state_changed"],
  input: Type.Object({ ...customerInput, into: IdSchema }, { additionalProperties: false }),
  needs(input, settings) {
    const views = (id: string) => [
      key.customer(id),
      key.open(id),
      ...settings.all.channels
        .filter(({ archived_at }) => archived_at === null)
        .map((channel) => key.latest(id, channel.id)),
    ];
    return [...views(input.customer), ...views(input.into)];
  },
  decide(input, draft) {
    const source = draft.customer(input.customer);
    if (source === null) return customerNotFound();
    if (source.erased_at !== null) return customerErased();
    if (source.merged_into !== null) {
      return refuse("conflict", "customer_merged", `The customer was merged into ${source.merged_into}`, "/customer");
    }
    return withCustomer(
      draft,
      input.into,
      (target) => {
        if (target.id === source.id)
          return refuse("conflict", "merge_with_itself", "A customer cannot be merged into itself", "/into");
        const changes = draft.mergeCustomer(source, target, union(target, source));
        draft.emit("customer.merged", { customer: target.id }, changes, { source: source.id, target: target.id });
        return accept({ customer: target.id, merged: source.id });
      },
      "/into",
    );
  },
});

/** What the target takes over. Its own values win; whoever asked for no messages under one name gets none under both. */
function union(target: CustomerRow, source: CustomerRow): Partial<Customer> {
  const properties = [
    // where there are too many, the target's own stay
    ...membersOf(target.properties),
    ...membersOf(source.properties).filter(([name]) => !Object.hasOwn(target.properties, name)),
  ];
  return {
    ...mergedAddresses(target, source),
    first_name: target.first_name ?? source.first_name,
    last_name: target.last_name ?? source.last_name,
    picture_url: target.picture_url ?? source.picture_url,
    locale: target.locale ?? source.locale,
    timezone: target.timezone ?? source.timezone,
    zip_code: target.zip_code ?? source.zip_code,
    assignee: target.assignee ?? source.assignee,
    subscribed: target.subscribed && source.subscribed,
    unsubscribed_at: target.unsubscribed_at ?? source.unsubscribed_at,
    teams: [...new Set([...target.teams, ...source.teams])],
    tags: withTags(target.tags, source.tags).slice(0, maxTags),
    properties: Object.fromEntries(properties.slice(0, maxProperties)),
  };
}
