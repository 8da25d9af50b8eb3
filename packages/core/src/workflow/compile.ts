import type { AnyCommand } from "../domain/define.ts";
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
  /** where a time trigger took over from an earlier version, by its place: it fires for what falls due from then on */
  readonly dueFrom?: Readonly<Record<string, Instant>>;
  readonly document: unknown;
}

export interface CompileRequest extends StoredVersion {
  readonly settings: SettingsIndex;
  /** the registry's save in tests */
  readonly commands?: ReadonlyMap<string, AnyCommand>;
}

export type CompileResult =
  | { readonly ok: true; readonly version: CompiledVersion; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Makes a version ready to match and run. Every document that `validateWorkflow` finds no error in compiles. So does one
 * whose surroundings changed since it was published, such as an archived team or an action that is gone: its waiting
 * runs go on and fail visibly at that step, and `problems` tell whoever pauses it.
 */
export function compileVersion({ settings, commands, ...stored }: CompileRequest): CompileResult {
  const { whole, problems, triggers, steps } = checkWorkflow(stored.document, settings, commands);
  if (!whole) return { ok: false, problems };
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
    triggers: triggers.map((trigger, index) =>
      trigger.kind === "time" ? { ...trigger, dueFrom: stored.dueFrom?.[index] ?? null } : trigger,
    ),
    start: document.start,
    steps,
    whenRunning: document.when_running ?? "start",
    runsPerDay: document.limits?.runs_per_day ?? null,
    document,
  };
  return { ok: true, version, problems };
}
