import { type Accepted, type Command, type Refusal, refuse } from "../model/command.ts";
import type { Id } from "../model/common.ts";
import type { Effect } from "../model/effect.ts";
import type { Event } from "../model/event.ts";
import type { KeptItem } from "../model/parked.ts";
import { Draft } from "./draft.ts";
import type { Permission } from "./permissions.ts";
import { applyChange, type Row } from "./rows.ts";
import { commands } from "./registry.ts";
import type { Standing } from "./standing.ts";

/** What a decision leaves: the caller's answer, the events in order, and the work it asks the outside world for. */
export interface Decision {
  readonly answer: Accepted | Refusal;
  readonly events: readonly Event[];
  readonly effects: readonly Effect[];
  /** runs that the command started itself */
  readonly runs: readonly Id[];
  /** an item that was kept for a person, which is to be decided with this */
  readonly again?: KeptItem;
}

/** The answer to who lacks the right that a command asks for. */
export const notPermitted = (type: string, permission: Permission): Refusal =>
  refuse("forbidden", "not_permitted", `${type} needs the right ${permission}`);

/**
 * Decides one prepared command. The ledger carries the events applied when it is accepted, and is as before when it is
 * refused. Throws `Missing` for what is not loaded; the caller takes the ledger back to its own mark then.
 */
export function decide(command: Command, standing: Standing): Decision {
  const definition = commands.get(command.type);
  const no = (answer: Refusal): Decision => ({ answer, events: [], effects: [], runs: [] });
  if (definition === undefined) return no(refuse("invalid", "command_unknown", `There is no command ${command.type}`));
  const { permission } = definition;
  const within = command.scopes === undefined || command.scopes.includes(permission);
  const reach = within ? standing.settings.reach(command.actor, permission) : null;
  if (reach === null) return no(notPermitted(command.type, permission));
  const mark = standing.ledger.mark();
  const draft = new Draft(standing, reach);
  const answer = definition.decide(command.input as never, draft);
  if (!answer.ok) {
    standing.ledger.rollback(mark);
    return no(answer);
  }
  draft.finish();
  const decision = { answer, events: draft.events, effects: draft.effects, runs: draft.started };
  return draft.again === null ? decision : { ...decision, again: draft.again };
}

/** Applies one logged event to rows by key. Folding the whole log gives today's logged columns (MILL law 12). */
export function apply(event: Event, rows: Map<string, Row>): void {
  for (const change of event.changes) {
    const name = `${change.table}/${change.id}`;
    rows.set(name, applyChange(rows.get(name) ?? null, change, event.at));
  }
}
