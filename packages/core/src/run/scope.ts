import { key } from "../domain/keys.ts";
import type { Ledger } from "../domain/ledger.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Id, Instant } from "../model/common.ts";
import type { Event, Refs } from "../model/event.ts";
import type { CustomerRow } from "../model/customer.ts";
import type { Run } from "../model/run.ts";
import { refsOf } from "./refs.ts";
import type { Scope } from "../template/scope.ts";

/** The customer that an id stands for: a merged one stands for the one it was merged into. */
export function survivorOf(id: Id, ledger: Ledger): CustomerRow | null {
  let row = ledger.get<CustomerRow>(key.customer(id));
  while (row !== null && row.merged_into !== null) row = ledger.get<CustomerRow>(key.customer(row.merged_into));
  return row;
}

/** What may be read about a subject: rows as they are now, through the batch's own changes. */
function rootsFor(refs: Refs, ledger: Ledger, settings: SettingsIndex): Record<string, unknown> {
  const row = (name: string | undefined): unknown => (name === undefined ? null : ledger.get(name));
  const { organization } = settings;
  return {
    organization: { id: organization.id, name: organization.name, zone: organization.zone },
    customer: refs.customer === undefined ? null : survivorOf(refs.customer, ledger),
    conversation: row(refs.conversation && key.conversation(refs.conversation)),
    message: row(refs.message && key.message(refs.message)),
    user: refs.user === undefined ? null : settings.user(refs.user),
  };
}

/** What a trigger's condition reads: the event that may start it and the rows it is about. */
export function eventScope(event: Event, ledger: Ledger, settings: SettingsIndex): Scope {
  const roots = rootsFor(event.refs, ledger, settings);
  roots["event"] = { id: event.id, type: event.type, actor: event.actor, data: event.data ?? null };
  return { roots, changes: event.changes, at: event.at, zone: settings.organization.zone };
}

/** What a time trigger's condition reads: its subject alone (MILL law 14). */
export function subjectScope(refs: Refs, at: Instant, ledger: Ledger, settings: SettingsIndex): Scope {
  return { roots: rootsFor(refs, ledger, settings), changes: [], at, zone: settings.organization.zone };
}

/** What a run's step reads: its subject now, its inputs, and the outputs of its steps so far by step id. */
export function runScope(run: Run, at: Instant, ledger: Ledger, settings: SettingsIndex): Scope {
  const roots = rootsFor(refsOf(run), ledger, settings);
  const steps: Record<Id, unknown> = {};
  for (const result of run.steps) steps[result.step] = result.output;
  roots["steps"] = steps;
  roots["inputs"] = run.inputs;
  roots["run"] = { id: run.id, workflow: run.workflow, started_at: run.started_at };
  roots["event"] = run.trigger;
  return { roots, changes: [], at, zone: settings.organization.zone };
}
