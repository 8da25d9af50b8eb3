import { isPublishable, refuse, validateWorkflow } from "@threadmill/core";
import { Type } from "typebox";
import { type Call, type Refused, type Route, route } from "../../http/route.ts";
import { seenWorkflow, workflowRefusal } from "../../rights/workflows.ts";
import { type Change, NothingToChange } from "../settings/change.ts";
import type { WorkflowRow } from "../tables.ts";
import { countFrom, watchClocks } from "./clocks.ts";
import { workflowParams } from "./draft-routes.ts";
import { settingsIn } from "./settings-in.ts";
import { WorkflowHeadSchema } from "./schemas.ts";
import { documentRefused, workflowHead, workflowMissing } from "./show.ts";
import { documentsOf, readVersion, readWorkflow, updateWorkflow } from "./store.ts";
import type { PoolClient } from "pg";

const nothing = Type.Object({}, { additionalProperties: false });

/** Routes that switch workflows on and off, archive them and put them in order. */
export function stateRoutes(change: Change): Route[] {
  const write = { method: "POST", tag: "Workflows", permission: "workflows.publish" } as const;
  const one = { ...write, params: workflowParams, body: nothing, answer: WorkflowHeadSchema } as const;

  type Patch = Partial<Pick<WorkflowRow, "enabled" | "paused_reason" | "archived_at">>;
  const switched = (
    call: Call<{ workflow: string }>,
    decide: (row: WorkflowRow, tx: PoolClient, at: string) => Promise<Patch | Refused>,
  ) =>
    change(call, async (tx, at) => {
      const before = await seenWorkflow(call, await readWorkflow(tx, call.place, call.params.workflow));
      if (before === null) return workflowMissing();
      const forbidden = await workflowRefusal(call, "workflows.publish", await documentsOf(tx, call.place, before));
      if (forbidden !== null) return forbidden;
      const patch = await decide(before, tx, at);
      if ("ok" in patch) return patch;
      if (Object.entries(patch).every(([name, value]) => before[name as keyof Patch] === value))
        throw new NothingToChange(workflowHead(before));
      const row = await updateWorkflow(tx, call.place, before.id, patch, at);
      return {
        noun: "workflow",
        id: row.id,
        before: workflowHead(before),
        after: workflowHead(row),
        result: workflowHead(row),
      };
    });

  return [
    route({
      ...one,
      url: "/workflows/:workflow/enable",
      summary: "Lets the published version start runs",
      description:
        "The version is checked again, for what it names may be gone. What its time triggers would have fired for while it was off is skipped; to include it, publish with `overdue` set to `include`.",
      handle: (call) =>
        switched(call, async (row, tx, at) => {
          if (row.archived_at !== null) return refuse("conflict", "workflow_archived", "The workflow is archived");
          const version = row.published === null ? null : await readVersion(tx, call.place, row.published);
          if (version === null)
            return refuse("conflict", "workflow_unpublished", "No version of the workflow is published yet");
          const { problems } = validateWorkflow(version.document, await settingsIn(tx, call.place));
          if (!isPublishable(problems)) return documentRefused(problems);
          if (!row.enabled) {
            await countFrom(tx, call.place, version, at);
            await watchClocks(tx, call.place, version, { at, overdue: "skip" });
          }
          return { enabled: true, paused_reason: null };
        }),
    }),
    route({
      ...one,
      url: "/workflows/:workflow/disable",
      summary: "Lets no more runs start",
      description: "Runs that wait go on.",
      handle: (call) => switched(call, async () => ({ enabled: false, paused_reason: null })),
    }),
    route({
      ...one,
      url: "/workflows/:workflow/archive",
      summary: "Puts a workflow away",
      description: "No more runs start, and its short name is free. Versions, runs and waiting runs stay.",
      handle: (call) =>
        switched(call, async (row, _tx, at) => ({ enabled: false, archived_at: row.archived_at ?? at })),
    }),
    route({
      ...write,
      url: "/workflows/order",
      summary: "Puts workflows in order",
      description: "Those that one event starts run in this order. Those not named come after these, as they were.",
      body: Type.Object(
        {
          workflows: Type.Array(Type.String({ maxLength: 64 }), {
            minItems: 1,
            maxItems: 10_000,
            description: "ids or short names",
          }),
        },
        { additionalProperties: false },
      ),
      answer: Type.Object({ workflows: Type.Array(WorkflowHeadSchema) }, { title: "WorkflowOrder" }),
      handle: (call) =>
        change(call, async (tx) => {
          // the order is that of all
          const forbidden = await workflowRefusal(call, "workflows.publish", [{}]);
          if (forbidden !== null) return forbidden;
          const { lane, organization } = call.place;
          const { rows } = await tx.query<WorkflowRow>(
            "select * from workflows where lane = $1 and organization = $2 and archived_at is null order by position, id",
            [lane, organization],
          );
          const named = call.body.workflows.map((name) => rows.find((row) => row.id === name || row.slug === name));
          const at = named.indexOf(undefined);
          if (at >= 0) return refuse("invalid", "workflow_not_found", "There is no such workflow", `/workflows/${at}`);
          const order = [...new Set([...(named as WorkflowRow[]), ...rows])].map((row, n) => ({
            ...row,
            position: n + 1,
          }));
          await tx.query(
            `update workflows w set position = k.position from unnest($3::uuid[], $4::int[]) as k(id, position)
where w.lane = $1 and w.organization = $2 and w.id = k.id and w.position <> k.position`,
            [lane, organization, order.map((row) => row.id), order.map((row) => row.position)],
          );
          const positions = (list: readonly WorkflowRow[]) => ({
            positions: Object.fromEntries(list.map((row) => [row.id, row.position])),
          });
          return {
            noun: "organization",
            id: organization,
            before: positions(rows),
            after: positions(order),
            result: { workflows: order.map(workflowHead) },
          };
        }),
    }),
  ];
}
