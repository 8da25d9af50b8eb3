import { key } from "../domain/keys.ts";
import type { Ledger } from "../domain/ledger.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Instant } from "../model/common.ts";
import type { Reason, Run } from "../model/run.ts";
import type { Guards, Watch } from "../model/watch.ts";
import { localDay } from "../time/local.ts";
import type { VersionBody } from "../workflow/compiled.ts";

/** What a guard asks of a run: of one that is to start, or that only would, which an explanation asks about. */
export type Starting = Pick<Run, "workflow" | "subject_kind" | "subject" | "depth">;

/** Why a run may not start, or null when it may. Asked when it starts, not when it is queued (MILL law 6). */
export function guardStart(
  run: Starting,
  version: Pick<VersionBody, "runsPerDay">,
  settings: SettingsIndex,
  ledger: Ledger,
  at: Instant,
): Reason | null {
  const { automation, limits } = settings.organization;
  if (automation === "off")
    return { code: "automation_off", message: "Automation is switched off for the organization" };
  if (automation === "braked") return { code: "storm_brake", message: "The organization's storm brake is on" };
  if (run.depth > limits.chain_depth) {
    return {
      code: "chain_depth",
      message: `Workflows started workflows ${run.depth} deep; the limit is ${limits.chain_depth}`,
    };
  }
  const name = subjectKey(run);
  if (name === null) return null;
  const limit = version.runsPerDay ?? limits.runs_per_subject_per_day;
  const count = countToday(
    ledger.get<Watch>(name)?.guards ?? null,
    run.workflow,
    localDay(at, settings.organization.zone),
  );
  if (count < limit) return null;
  return {
    code: "runs_per_day",
    message: `The workflow already started ${count} times today for this ${run.subject_kind}; the limit is ${limit}`,
  };
}

/** Counts a start against the subject's day, whatever came of it: a run, one that failed at once, or one that was skipped. */
export const countStart = (run: Starting, settings: SettingsIndex, ledger: Ledger, at: Instant): number =>
  count("runs", run, settings, ledger, at);

/** Counts a start that a guard held back for today, by the guard's reason. Answers how many that makes; always 1 where nothing is counted. */
export const countWithheld = (
  run: Starting,
  { code }: Pick<Reason, "code">,
  settings: SettingsIndex,
  ledger: Ledger,
  at: Instant,
): number => count("withheld", run, settings, ledger, at, `${run.workflow}/${code}`);

function count(
  what: "runs" | "withheld",
  run: Starting,
  settings: SettingsIndex,
  ledger: Ledger,
  at: Instant,
  counter: string = run.workflow,
): number {
  const name = subjectKey(run);
  const row = name === null ? null : ledger.get<Watch>(name);
  if (name === null || row === null) return 1;
  const day = localDay(at, settings.organization.zone);
  const today: Guards = row.guards?.day === day ? row.guards : { day, runs: {}, sends: row.guards?.sends ?? [] };
  const counted = (today[what]?.[counter] ?? 0) + 1;
  ledger.set(name, { ...row, guards: { ...today, [what]: { ...today[what], [counter]: counted } } });
  return counted;
}

function countToday(guards: Guards | null, workflow: string, day: string): number {
  return guards !== null && guards.day === day ? (guards.runs[workflow] ?? 0) : 0;
}

/** Where a subject's counters live; users and the organization have none. */
function subjectKey(run: Starting): string | null {
  if (run.subject_kind === "conversation") return key.conversation(run.subject);
  return run.subject_kind === "customer" ? key.customer(run.subject) : null;
}
