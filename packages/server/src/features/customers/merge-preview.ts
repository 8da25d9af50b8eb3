import { IdSchema, previewCustomerMerge, refuse } from "@threadmill/core";
import { Type } from "typebox";
import type { AppPorts } from "../../http/ports.ts";
import { type Route, route } from "../../http/route.ts";
import { lookAt } from "../../lanes/preview.ts";
import { readableCustomers } from "../../rights/readable.ts";
import { reachOf } from "../../rights/reach.ts";

const PreviewSchema = Type.Object(
  {
    source: IdSchema,
    target: Type.String({ format: "uuid", description: "who stands for both afterwards" }),
    fields: Type.Array(
      Type.Object({
        field: Type.String(),
        source: Type.Unknown(),
        target: Type.Unknown(),
        result: Type.Unknown(),
        says: Type.String({ description: "by which rule, in words" }),
      }),
    ),
    waiting_runs: Type.Integer({ description: "of the source, that would wait for the target instead" }),
  },
  { title: "MergePreview" },
);

/** The route that shows what a merge would do. */
export function mergePreviewRoutes({ pool, clock }: Pick<AppPorts, "pool" | "clock">): Route[] {
  return [
    route({
      method: "GET",
      url: "/customers/:customer/merge_preview",
      tag: "Customers",
      summary: "Shows what a merge of a customer into another would make of each field",
      description:
        "It is decided as the merge would be, and not done: what stands against the merge stands against the preview.",
      permission: "customers.merge",
      params: Type.Object({ customer: IdSchema }),
      query: Type.Object({ into: Type.String({ format: "uuid", description: "the customer who is to stay" }) }),
      answer: PreviewSchema,
      problems: [409],
      async handle(call) {
        const { place, params, query, actor } = call;
        const ids = [params.customer, query.into];
        const readable = await readableCustomers(pool, place, await reachOf(call, "customers.read"), ids);
        const hidden = ids.find((id) => !readable.has(id));
        if (hidden !== undefined) return refuse("not_found", "customer_not_found", "There is no such customer");
        const settings = await call.settings();
        const input = { customer: params.customer, into: query.into };
        const at = clock.now();
        const preview = await lookAt(pool, place, (ledger) =>
          previewCustomerMerge(input, { ledger, settings, actor, at }),
        );
        if (!preview.ok) return preview;
        const { ok: _, ...shown } = preview;
        return shown;
      },
    }),
  ];
}
