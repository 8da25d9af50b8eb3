import { Type } from "typebox";
import { refuse } from "../../model/command.ts";
import { IdSchema } from "../../model/common.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { maxMovedRuns, merged, tooManyRuns } from "../merging.ts";
import { customerMerge } from "./merge-table.ts";
import { customerErased, customerInput, customerNotFound, withCustomer } from "./with-customer.ts";

/**
 * Two rows are one person. No row moves (MILL law 13): the source keeps its fields and conversations and only points at
 * the target, which is found under both's addresses and counts both's conversations from here on; field by field as
 * `merge-table.ts` says. What waits for the source waits for the target.
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
        const waiting = draft.waitingRuns(source.id);
        if (waiting.length > maxMovedRuns) return tooManyRuns(waiting.length, "/customer");
        const { automated_messages_per_hour: sendsKept } = draft.settings.organization.limits;
        const changes = draft.mergeCustomer(source, merged(customerMerge, { target, source, sendsKept }));
        draft.emit("customer.merged", { customer: target.id }, changes, { source: source.id, target: target.id });
        return accept({ customer: target.id, merged: source.id });
      },
      "/into",
    );
  },
});
