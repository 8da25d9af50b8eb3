import {
  diffDocuments,
  IdSchema,
  isEverywhere,
  refuse,
  validateWorkflow,
  type WorkflowDocument,
} from "@threadmill/core";
import { sql } from "kysely";
import { Type } from "typebox";
import { byId, list, pageById, pageOf } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import { type Refused, type Route, route } from "../../http/route.ts";
import type { Place } from "../../lanes/port.ts";
import { reachOf } from "../../rights/reach.ts";
import { maySeeWorkflow, seenWorkflow } from "../../rights/workflows.ts";
import { shownColumns } from "../columns.ts";
import type { Tables, WorkflowRow } from "../tables.ts";
import { workflowParams } from "./draft-routes.ts";
import { DifferenceSchema, VersionHeadSchema, VersionSchema, WorkflowHeadSchema, WorkflowSchema } from "./schemas.ts";
import { versionHead, versionMissing, workflowHead, workflowMissing, workflowWhole } from "./show.ts";
import { readNumbered, readVersion, readWorkflow } from "./store.ts";

const workflowHeadColumns = shownColumns<Tables["workflows"]>(WorkflowHeadSchema);
const versionHeadColumns = shownColumns<Tables["workflow_versions"]>(VersionHeadSchema);

const side = (description: string) => Type.String({ pattern: "^(draft|[1-9][0-9]{0,8})$", description });

/** Routes that read workflows and their versions. */
export function workflowReadRoutes({ pool, db }: Pick<AppPorts, "pool" | "db">): Route[] {
  const read = { method: "GET", tag: "Workflows", permission: "workflows.read" } as const;

  async function documentOf(place: Place, row: WorkflowRow, which: string): Promise<WorkflowDocument | Refused> {
    if (which !== "draft") {
      const version = await readNumbered(pool, place, row.id, Number(which));
      return version === null ? versionMissing() : (version.document as WorkflowDocument);
    }
    const misshapen = validateWorkflow(row.draft, null).problems.some((one) => shapeCodes.has(one.code));
    return misshapen
      ? refuse("conflict", "draft_unfinished", "The draft is not yet a whole document")
      : (row.draft as WorkflowDocument);
  }

  return [
    list({
      ...read,
      url: "/workflows",
      summary: "Lists workflows",
      query: {
        enabled: Type.Optional(Type.Boolean()),
        archived: Type.Optional(Type.Boolean({ description: "archived ones too" })),
      },
      item: WorkflowHeadSchema,
      title: "WorkflowPage",
      spot: Type.Tuple([Type.Integer(), IdSchema]),
      async read(call, page) {
        const { place, query } = call;
        const [reach, settings] = [await reachOf(call, "workflows.read"), await call.settings()];
        let rows = db
          .selectFrom("workflows")
          .select(workflowHeadColumns)
          .select(sql<object>`jsonb_build_object('mailboxes', draft->'mailboxes')`.as("scope"))
          .where("lane", "=", place.lane)
          .where("organization", "=", place.organization);
        if (query.archived !== true) rows = rows.where("archived_at", "is", null);
        if (query.enabled !== undefined) rows = rows.where("enabled", "=", query.enabled);
        if (page.after !== undefined) {
          const [position, id] = page.after;
          rows = rows.where((eb) =>
            eb.or([eb("position", ">", position), eb.and([eb("position", "=", position), eb("id", ">", id)])]),
          );
        }
        const listed = rows.orderBy("position").orderBy("id");
        // there are few, and which mailboxes a draft names is no column
        const found = isEverywhere(reach)
          ? await listed.limit(page.rows).execute()
          : (await listed.execute()).filter(({ scope }) => maySeeWorkflow(settings, reach, scope)).slice(0, page.rows);
        return pageOf(found, page, (row) => [row.position, row.id], workflowHead);
      },
    }),
    route({
      ...read,
      url: "/workflows/:workflow",
      summary: "Reads a workflow with its draft",
      params: workflowParams,
      answer: WorkflowSchema,
      async handle(call) {
        const { place, params, settings } = call;
        const row = await seenWorkflow(call, await readWorkflow(pool, place, params.workflow));
        if (row === null) return workflowMissing();
        const version = row.published === null ? null : await readVersion(pool, place, row.published);
        return workflowWhole(row, version, await settings());
      },
    }),
    list({
      ...read,
      url: "/workflows/:workflow/versions",
      summary: "Lists the published versions of a workflow, newest first",
      params: workflowParams,
      item: VersionHeadSchema,
      title: "WorkflowVersionPage",
      spot: byId,
      async read(call, page) {
        const { place, params } = call;
        const workflow = await seenWorkflow(call, await readWorkflow(pool, place, params.workflow));
        if (workflow === null) return workflowMissing();
        let rows = db
          .selectFrom("workflow_versions")
          .select(versionHeadColumns)
          .where("lane", "=", place.lane)
          .where("organization", "=", place.organization)
          .where("workflow", "=", workflow.id);
        if (page.after !== undefined) rows = rows.where("id", "<", page.after[0]);
        return pageById(await rows.orderBy("id", "desc").limit(page.rows).execute(), page);
      },
    }),
    route({
      ...read,
      url: "/workflows/:workflow/versions/:number",
      summary: "Reads a published version with its document",
      params: Type.Object({ ...workflowParams.properties, number: Type.Integer({ minimum: 1, maximum: 999_999_999 }) }),
      answer: VersionSchema,
      async handle(call) {
        const { place, params } = call;
        const workflow = await seenWorkflow(call, await readWorkflow(pool, place, params.workflow));
        if (workflow === null) return workflowMissing();
        const version = await readNumbered(pool, place, workflow.id, params.number);
        return version === null ? versionMissing() : { ...versionHead(version), document: version.document };
      },
    }),
    route({
      ...read,
      url: "/workflows/:workflow/diff",
      summary: "Tells what changed between two versions, or a version and the draft",
      params: workflowParams,
      problems: [409],
      query: Type.Object({ from: side("number of a version, or `draft`"), to: Type.Optional(side("default: draft")) }),
      answer: Type.Object({ differences: Type.Array(DifferenceSchema) }, { title: "WorkflowDifferences" }),
      async handle(call) {
        const { place, params, query } = call;
        const workflow = await seenWorkflow(call, await readWorkflow(pool, place, params.workflow));
        if (workflow === null) return workflowMissing();
        const from = await documentOf(place, workflow, query.from);
        if ("ok" in from) return from;
        const to = await documentOf(place, workflow, query.to ?? "draft");
        return "ok" in to ? to : { differences: diffDocuments(from, to) };
      },
    }),
  ];
}

/** What keeps a document from being compared: it is no whole document. */
const shapeCodes = new Set([
  "unknown_field",
  "missing_field",
  "invalid_value",
  "kind_unknown",
  "text_invalid",
  "document_too_deep",
  "document_too_large",
  "step_id_invalid",
]);
