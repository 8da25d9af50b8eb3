import {
  oneOf,
  type Permission,
  refuse,
  type SettingsIndex,
  validateWorkflow,
  type WorkflowDocument,
} from "@threadmill/core";
import type { PoolClient } from "pg";
import { Type } from "typebox";
import type { AppPorts } from "../../http/ports.ts";
import { userOf } from "../../http/rights.ts";
import { type Call, type Route, route } from "../../http/route.ts";
import { freshId } from "../../lanes/fresh-id.ts";
import { settingsSeen } from "../../rights/mailboxes.ts";
import { seenWorkflow, workflowRefusal } from "../../rights/workflows.ts";
import type { Change } from "../settings/change.ts";
import { freeSlug, slugOf } from "../settings/slug.ts";
import type { WorkflowRow } from "../tables.ts";
import { countClocks } from "./clocks.ts";
import { validateEarly } from "./early.ts";
import { cancelWaiting, publishDraft } from "./publish.ts";
import { settingsIn } from "./settings-in.ts";
import { DocumentBody, VersionHeadSchema, WorkflowProblemSchema, WorkflowSchema } from "./schemas.ts";
import { draftRefused, versionHead, workflowHead, workflowMissing, workflowWhole } from "./show.ts";
import { countWaiting, documentsOf, readVersion, readWorkflow, updateWorkflow } from "./store.ts";

type Named = Readonly<Record<string, unknown>> & { readonly name: string };
export const workflowParams = Type.Object({
  workflow: Type.String({ minLength: 1, maxLength: 64, description: "id or short name" }),
});
const draft = Type.Optional(
  Type.Boolean({ description: "keep it although it has mistakes; it cannot be published yet" }),
);

/** Routes that write workflows: drafts and what becomes of them. */
export function draftRoutes(ports: Pick<AppPorts, "pool" | "engine">, change: Change): Route[] {
  const { pool } = ports;
  const write = { tag: "Workflows", permission: "workflows.write" } as const;
  return [
    route({
      ...write,
      method: "POST",
      url: "/workflows/validate",
      summary: "Tells all that is wrong with a document",
      description: "Nothing is kept. Any JSON may be sent.",
      body: Type.Unknown(),
      answer: Type.Object(
        { publishable: Type.Boolean(), problems: Type.Array(WorkflowProblemSchema) },
        { title: "WorkflowValidation" },
      ),
      async handle(call) {
        const { problems } = validateWorkflow(call.body, settingsSeen(call, await call.settings()));
        return { publishable: problems.every((one) => one.severity === "warning"), problems };
      },
    }),
    route({
      ...write,
      method: "POST",
      url: "/workflows",
      summary: "Makes a workflow from a document",
      description:
        "With `publish=true` it is published and enabled in the same transaction; with `draft=true` a document with mistakes is kept as a draft.",
      query: Type.Object({ publish: Type.Optional(Type.Boolean()), draft }),
      body: DocumentBody,
      answer: WorkflowSchema,
      status: 201,
      handle: (call) =>
        change(call, async (tx, at) => {
          const settings = await settingsFor(tx, call);
          const document = call.body as Named;
          const publish = call.query.publish === true;
          const rights: readonly Permission[] = publish
            ? ["workflows.write", "workflows.publish"]
            : ["workflows.write"];
          for (const right of rights) {
            const forbidden = await workflowRefusal(call, right, [document]);
            if (forbidden !== null) return forbidden;
          }
          const refused = draftRefused(
            validateWorkflow(document, settings).problems,
            call.query.draft === true && call.query.publish !== true,
          );
          if (refused !== null) return refused;
          const row = await insertWorkflow(tx, call, document, at);
          if (call.query.publish !== true) return made(row, null, settings);
          const by = { place: call.place, publisher: userOf(call.caller), at };
          const published = await publishDraft(tx, by, row, null);
          return "ok" in published ? published : made(published.row, published.version, settings);
        }),
    }),
    route({
      ...write,
      method: "PUT",
      url: "/workflows/:workflow",
      summary: "Replaces the draft of a workflow",
      description: "What runs is the published version; it stays as it is until the next one is published.",
      params: workflowParams,
      query: Type.Object({ draft }),
      body: DocumentBody,
      answer: WorkflowSchema,
      handle: (call) =>
        change(call, async (tx, at) => {
          const before = await seenWorkflow(call, await readWorkflow(tx, call.place, call.params.workflow));
          if (before === null) return workflowMissing();
          const document = call.body as Named;
          const forbidden = await workflowRefusal(call, "workflows.write", [before.draft, document]);
          if (forbidden !== null) return forbidden;
          if (before.archived_at !== null) return refuse("conflict", "workflow_archived", "The workflow is archived");
          const settings = await settingsFor(tx, call);
          const refused = draftRefused(validateWorkflow(document, settings).problems, call.query.draft === true);
          if (refused !== null) return refused;
          const row = await updateWorkflow(tx, call.place, before.id, { draft: document, name: document.name }, at);
          const version = row.published === null ? null : await readVersion(tx, call.place, row.published);
          const result = workflowWhole(row, version, settings);
          return { noun: "workflow", id: row.id, before: logged(before), after: logged(row), result };
        }),
    }),
    route({
      ...write,
      permission: "workflows.publish",
      method: "POST",
      url: "/workflows/:workflow/publish",
      summary: "Makes the draft the version that runs, and enables it",
      description:
        "A draft that does what the published version does makes no new version. `waiting` says what becomes of the runs that wait in older versions: they stay pinned to theirs, or are cancelled.",
      params: workflowParams,
      body: Type.Object(
        {
          waiting: Type.Optional(oneOf(["stay", "cancel"] as const, "default: stay")),
          overdue: Type.Optional(
            oneOf(["skip", "include"] as const, "what time triggers do about what fell due before; default: skip"),
          ),
        },
        { additionalProperties: false },
      ),
      answer: Type.Object(
        {
          version: VersionHeadSchema,
          created: Type.Boolean({ description: "false when the draft does what the published version does" }),
          waiting: Type.Integer({ description: "runs that waited in older versions" }),
          cancelled: Type.Integer({ description: "how many of them were cancelled" }),
          clocks: Type.Integer({ description: "conversations and customers whose clock its time triggers watch" }),
        },
        { title: "WorkflowPublished" },
      ),
      async handle(call) {
        const found = await readWorkflow(pool, call.place, call.params.workflow);
        const early = found === null ? null : validateEarly(found.draft, await call.settings());
        const result = await change(call, async (tx, at) => {
          const before = await seenWorkflow(call, await readWorkflow(tx, call.place, call.params.workflow));
          if (before === null) return workflowMissing();
          const forbidden = await workflowRefusal(call, "workflows.publish", await documentsOf(tx, call.place, before));
          if (forbidden !== null) return forbidden;
          const { overdue = "skip" } = call.body;
          const published = await publishDraft(
            tx,
            { place: call.place, publisher: userOf(call.caller), at, overdue },
            before,
            early,
          );
          if ("ok" in published) return published;
          const { row, version, created } = published;
          const waiting = await countWaiting(tx, call.place, row.id, version.id);
          const clocks = await countClocks(tx, call.place, version.document as WorkflowDocument);
          const answer = { version: versionHead(version), created, waiting, cancelled: 0, clocks };
          return {
            noun: "workflow",
            id: row.id,
            before: workflowHead(before),
            after: workflowHead(row),
            result: answer,
          };
        });
        if ("ok" in result || call.body.waiting !== "cancel" || result.waiting === 0) return result;
        // after the commit: these are commands like anybody's, and a repeat of the request goes on where this one ended
        return {
          ...result,
          cancelled: await cancelWaiting(
            { engine: ports.engine, pool },
            call,
            result.version.workflow,
            result.version.id,
          ),
        };
      },
    }),
  ];
}

/** The settings in the transaction, as whoever calls may know them. */
async function settingsFor(
  tx: PoolClient,
  call: Pick<Call, "place" | "caller" | "settings">,
): Promise<SettingsIndex | null> {
  const settings = await settingsIn(tx, call.place);
  return settings === null ? null : settingsSeen(call, settings);
}

async function insertWorkflow(
  tx: PoolClient,
  { place }: Pick<Call, "place">,
  document: Named,
  at: string,
): Promise<WorkflowRow> {
  const { lane, organization } = place;
  const slug = await freeSlug(tx, "workflows", place, slugOf(document.name, "workflow"));
  const { order } = document;
  // a draft may say anything; its problems tell of an order that is none
  const position = Number.isInteger(order) && Math.abs(order as number) <= 1_000_000 ? order : 0;
  const { rows } = await tx.query<WorkflowRow>(
    `insert into workflows (lane, organization, id, slug, name, position, draft, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8) returning *`,
    [lane, organization, freshId(Date.parse(at)), slug, document.name, position, JSON.stringify(document), at],
  );
  return rows[0] as WorkflowRow;
}

/** The log keeps drafts whole, so that the past can be looked up. */
const logged = (row: WorkflowRow) => ({ ...workflowHead(row), draft: row.draft });

function made(row: WorkflowRow, version: Parameters<typeof workflowWhole>[1], settings: SettingsIndex | null) {
  return {
    noun: "workflow",
    id: row.id,
    before: null,
    after: logged(row),
    result: workflowWhole(row, version, settings),
  };
}
