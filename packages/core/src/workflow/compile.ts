import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Id, Instant } from "../model/common.ts";
import { checkWorkflow } from "./check.ts";
import type { CompiledVersion } from "./compiled.ts";
import type { WorkflowDocument } from "./document.ts";
import type { Problem } from "./problem.ts";

/** A published version as it is stored. */
export interface StoredVersion {
  readonly id: Id;
  readonly workflow: Id;
  readonly publisher: Id | null;
  readonly publishedAt: Instant;
  readonly document: unknown;
}

export type CompileResult =
  | { readonly ok: true; readonly version: CompiledVersion; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * What may go wrong with a version after it was published, because the settings or the commands around it changed. It is
 * still compiled, for its runs that wait, and its steps fail visibly; `problems` tell whoever pauses it.
 */
const lateCodes: ReadonlySet<string> = new Set([
  "reference_dangling",
  "reference_archived",
  "action_unknown",
  "unknown_field",
  "missing_field",
  "invalid_input",
  "target_missing",
]);

/** Makes a version ready to match and run. Every document that `validateWorkflow` finds no error in compiles. */
export function compileVersion({ settings, ...stored }: StoredVersion & { readonly settings: SettingsIndex }): CompileResult {
  const { problems, triggers, steps } = checkWorkflow(stored.document, settings);
  if (problems.some((one) => one.severity === "error" && !lateCodes.has(one.code))) return { ok: false, problems };
  const document = stored.document as WorkflowDocument;
  const mailboxes = document.mailboxes?.flatMap((name) => settings.mailbox(name)?.id ?? []);
  const version: CompiledVersion = {
    id: stored.id,
    workflow: stored.workflow,
    name: document.name,
    kind: document.kind,
    order: document.order ?? 0,
    publisher: stored.publisher,
    publishedAt: stored.publishedAt,
    mailboxes: mailboxes === undefined ? null : new Set(mailboxes),
    triggers,
    start: document.start,
    steps,
    whenRunning: document.when_running ?? "start",
    runsPerDay: document.limits?.runs_per_day ?? null,
    document,
  };
  return { ok: true, version, problems };
}
