import { refuse, type SettingsIndex, validateWorkflow, type WorkflowProblem } from "@threadmill/core";
import type { Refused } from "../../http/route.ts";
import type { VersionRow, WorkflowRow } from "../tables.ts";

/** A workflow without its draft. */
export const workflowHead = (row: WorkflowRow) => ({
  id: row.id,
  slug: row.slug,
  name: row.name,
  position: row.position,
  enabled: row.enabled,
  paused_reason: row.paused_reason,
  published: row.published,
  created_at: row.created_at,
  updated_at: row.updated_at,
  archived_at: row.archived_at,
});

/** A version without its document. */
export const versionHead = (row: VersionRow) => ({
  id: row.id,
  workflow: row.workflow,
  number: row.number,
  hash: row.hash,
  publisher: row.publisher,
  published_at: row.published_at,
});

/** A workflow whole. */
export const workflowWhole = (row: WorkflowRow, version: VersionRow | null, settings: SettingsIndex | null) => ({
  ...workflowHead(row),
  draft: row.draft,
  problems: validateWorkflow(row.draft, settings).problems,
  version: version === null ? null : versionHead(version),
});

export const workflowMissing = () => refuse("not_found", "workflow_not_found", "There is no such workflow");
export const versionMissing = () => refuse("not_found", "version_not_found", "The workflow has no such version");

/** The refusal of a document, with all that is wrong. */
export function documentRefused(problems: readonly WorkflowProblem[]): Refused {
  const errors = problems.filter((one) => one.severity === "error");
  const [first] = errors;
  return {
    ok: false,
    kind: "invalid",
    code: "workflow_invalid",
    message:
      first === undefined
        ? "The workflow has mistakes"
        : `${first.message}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ""}`,
    ...(first !== undefined && { path: first.path }),
    problems: errors.slice(0, 100).map(({ code, path, message }) => ({ code, path, message })),
  };
}

/** What not even a draft may have: it could not be stored, or would be misread later. */
const never = new Set(["unknown_field", "text_invalid", "document_too_deep", "document_too_large"]);

/** The refusal of a draft: of any error, or where an unfinished one is to be kept, of what no draft may have. */
export function draftRefused(problems: readonly WorkflowProblem[], unfinished: boolean): Refused | null {
  const standing = problems.filter((one) => one.severity === "error" && (!unfinished || never.has(one.code)));
  return standing.length === 0 ? null : documentRefused(standing);
}
